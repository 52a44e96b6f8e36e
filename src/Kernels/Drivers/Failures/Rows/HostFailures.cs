using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Drivers.Failures.Rows;

/// <summary>The machine itself: Intel Macs, kernel panics.</summary>
internal static partial class HostFailures
{
    public static FailureSignature[] Rows { get; } =
    [
        new(
            "intel_mac_panic",
            FailureClass.HostUnsupported,
            ["CATERR"],
            null,
            "panic(cpu 0 caller 0x0): x86 CPU CATERR detected",
            "An Intel Mac: its kernel panics when the GPU's firmware starts.",
            FailureAction.MarkUnsupported,
            "Use a Mac with Apple silicon. On this one only the CPU can work.",
            ["tinygrad#16534", "tinygrad#16097"]
        ),
        new(
            "dart_panic",
            FailureClass.HostPanic,
            ["VIOLATION_T8110_DART_INVALID_ERR_MASK"],
            DartErrorMask(),
            "[SPTM] VIOLATION_T8110_DART_INVALID_ERR_MASK: state->dart_id(0x9), err_mask(0x80180000)",
            "The Mac's memory guard (DART) met a write through the GPU's window that it did not allow, and the kernel panicked.",
            FailureAction.QuarantineAfterReboot,
            "Update macOS, and use an AMD card or another enclosure: this pair panics again.",
            ["tinygrad#16086", "tinygrad#15605"]
        ),
    ];

    [GeneratedRegex(
        @"AppleT8110DART[^\n]{0,200}err_mask",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex DartErrorMask();
}
