using System.Runtime.Versioning;

// Sessions, signals and file modes: the command line runs on macOS and Linux.
[assembly: SupportedOSPlatform("linux")]
[assembly: SupportedOSPlatform("macos")]
