using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Drivers.Failures.Rows;

/// <summary>Between macOS and the GPU: the extension, its server, its lock, models that nothing drives.</summary>
internal static partial class AttachmentFailures
{
    private const string InstallAgain = "/Applications/TinyGPU.app/Contents/MacOS/TinyGPU install";

    public static FailureSignature[] Rows { get; } =
    [
        new(
            "extension_not_found",
            FailureClass.ExtensionRefused,
            [],
            InstallError4(),
            "Error Domain=OSSystemExtensionErrorDomain Code=4",
            "macOS found no driver extension in the app: the app is not whole, or not in /Applications.",
            FailureAction.AwaitRepair,
            $"Put TinyGPU.app into /Applications again, then run: {InstallAgain}",
            ["source"]
        ),
        new(
            "extension_signature",
            FailureClass.ExtensionRefused,
            [],
            InstallError8(),
            "Error Domain=OSSystemExtensionErrorDomain Code=8",
            "The signature of the app is broken, as it is after files in it were changed or unpacked by the wrong tool.",
            FailureAction.AwaitRepair,
            $"Remove /Applications/TinyGPU.app, unpack it again with ditto, then run: {InstallAgain}",
            ["source"]
        ),
        new(
            "extension_validation",
            FailureClass.ExtensionRefused,
            [],
            InstallError9(),
            "Error Domain=OSSystemExtensionErrorDomain Code=9",
            "macOS validated the extension and refused it.",
            FailureAction.AwaitRepair,
            $"Restart the Mac, then run: {InstallAgain}",
            ["source"]
        ),
        new(
            "extension_policy",
            FailureClass.ExtensionRefused,
            [],
            InstallError10(),
            "Error Domain=OSSystemExtensionErrorDomain Code=10",
            "The Mac is managed and its policy forbids this extension.",
            FailureAction.AwaitRepair,
            "Ask who manages this Mac to allow the system extension org.tinygrad.tinygpu.driver2 of team 9YG3G8543N.",
            ["source"]
        ),
        new(
            "turing",
            FailureClass.GpuUnsupported,
            ["turing is not supported"],
            null,
            "turing is not supported",
            "Nvidia cards before Ampere (RTX 20 and older) are not driven.",
            FailureAction.MarkUnsupported,
            "Use an Nvidia card of the RTX 30, 40 or 50 series, or an AMD card of the RX 7000 or 9000 series.",
            ["tinygrad#15413"]
        ),
        new(
            "amd_tmr_size",
            FailureClass.GpuUnsupported,
            ["assert self.tmr_size <= self.max_tmr_size"],
            null,
            "in _tmr_init\n    assert self.tmr_size <= self.max_tmr_size\nAssertionError",
            "The card's security processor asks for more memory than the driver knows: RX 7800M and cards before RDNA3.",
            FailureAction.MarkUnsupported,
            "Use an AMD card whose id is on the list in docs/doctor.md, such as an RX 7900 XTX or RX 9070.",
            ["tinygrad#15744", "tinygrad#15636"]
        ),
        new(
            "driver_not_attached",
            FailureClass.NotAttached,
            ["Driver not available. Check: System Report > PCI for GPU", "failed to connect to tinygpu driver"],
            // TinyGPU's server says so to tinygrad's first request, whose answer tinygrad ignores, and hangs up on the second.
            HungUpAtOnce(),
            "client connected\nfailed to connect to tinygpu driver",
            "The extension runs but is not attached to the GPU: not enabled, or the card is no VGA controller (class 0x030000), as an H100 is not.",
            FailureAction.AwaitRepair,
            "System Settings > General > Login Items & Extensions > Driver Extensions > turn TinyGPU on; then unplug the enclosure, wait ten seconds, plug it in.",
            ["tinygrad#16476", "tinygrad#16726"]
        ),
        new(
            "server_unreachable",
            FailureClass.NotAttached,
            ["Failed to connect to TinyGPU server at"],
            null,
            "RuntimeError: Failed to connect to TinyGPU server at /var/folders/x/T/tinygpu.sock.",
            "TinyGPU's server did not come up within five seconds.",
            FailureAction.RestartWorker,
            "Run: pkill -f tinygpu.sock; if it stays away, restart the Mac.",
            ["source"]
        ),
        new(
            "lock_held",
            FailureClass.LockHeld,
            ["Failed to acquire lock file"],
            null,
            "RuntimeError: Failed to acquire lock file am_usb4.lock. `sudo lsof /tmp/am_usb4.lock` may help",
            "Another process holds the GPU, or this process did an open that failed and so holds it itself.",
            FailureAction.RestartWorker,
            "Find the holder and end it: lsof \"$TMPDIR\"/am_usb4.lock \"$TMPDIR\"/nv_usb4.lock",
            ["tinygrad#18205", "sunnypilot#1964"]
        ),
    ];

    [GeneratedRegex(
        @"(?:Broken pipe|Connection reset by peer|Connection closed) \(in [^\n]{0,60}\bbar_info > _rpc\b",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex HungUpAtOnce();

    [GeneratedRegex(
        @"OSSystemExtensionErrorDomain(?: Code=| error )4\b",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex InstallError4();

    [GeneratedRegex(
        @"OSSystemExtensionErrorDomain(?: Code=| error )8\b",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex InstallError8();

    [GeneratedRegex(
        @"OSSystemExtensionErrorDomain(?: Code=| error )9\b",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex InstallError9();

    [GeneratedRegex(
        @"OSSystemExtensionErrorDomain(?: Code=| error )10\b",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex InstallError10();
}
