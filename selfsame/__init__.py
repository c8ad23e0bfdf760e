"""The front door: settings, access, HTTP and the command line; the only place where everything is put together."""
