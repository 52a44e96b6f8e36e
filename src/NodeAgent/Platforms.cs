using System.Runtime.Versioning;

// Unix sockets, file modes and signals: an agent runs on macOS and Linux.
[assembly: SupportedOSPlatform("linux")]
[assembly: SupportedOSPlatform("macos")]
