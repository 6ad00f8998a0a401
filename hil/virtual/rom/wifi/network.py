# The WiFi of the virtual board: joins the one network there is, if its name and password are right.
from _host import call

STA_IF = 0
STAT_IDLE = 0
STAT_GOT_IP = 3


class WLAN:
    def __init__(self, interface=STA_IF):
        pass

    def active(self, on=None):
        return True

    def connect(self, ssid, key=None):
        call("wlan_join", ssid, key or "")

    def disconnect(self):
        call("wlan_leave")

    def isconnected(self):
        return self.status() == STAT_GOT_IP

    def status(self):
        return call("wlan_status")
