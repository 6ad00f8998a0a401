"""GStreamer's RTSP server (Debian's gir1.2-gst-rtsp-server-1.0) with one file; run by the system's Python.

Arguments: the port (0 for any), the MP4 file, user and password, the element that makes RTP of the file,
with its options, and `udp` for a camera that sends by nothing else. Tells its address on the first line.
"""

import sys

import gi  # type: ignore[import-not-found]  # the system's Python has it

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402 - as above; the versions come first

port, path, user, password, payloader, transport = sys.argv[1:]
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
auth = GstRtspServer.RTSPAuth()
token = GstRtspServer.RTSPToken()
token.set_string("media.factory.role", user)
auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
server.set_auth(auth)
factory = GstRtspServer.RTSPMediaFactory()
permissions = GstRtspServer.RTSPPermissions()
permissions.add_role(user)
for right in ("access", "construct"):
    permissions.add_permission_for_role(user, f"media.factory.{right}", True)
factory.set_permissions(permissions)
if transport == "udp":
    factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
factory.set_launch(f"( filesrc location={path} ! qtdemux ! {payloader} name=pay0 pt=96 )")
server.get_mount_points().add_factory("/stream", factory)
server.attach(None)
sys.stdout.write(f"rtsp://{user}:{password}@127.0.0.1:{server.get_bound_port()}/stream\n")
sys.stdout.flush()
GLib.MainLoop().run()
