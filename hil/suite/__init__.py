"""What every board that runs the firmware must do, be it virtual or real."""
