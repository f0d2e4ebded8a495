"""The plugin host: finds plugins, asks what they offer, makes what is used, and keeps their faults from spreading."""

from sfactl.host.host import Host
from sfactl.host.model import Fault, Found, PluginInfo

__all__ = ["Fault", "Found", "Host", "PluginInfo"]
