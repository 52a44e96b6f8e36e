using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Drivers.Failures.Rows;

/// <summary>Texts that often stand around a cause of their own and are the cause only where nothing else is found.</summary>
internal static partial class SymptomFailures
{
    public static FailureSignature[] Rows { get; } =
    [
        new(
            "no_interface",
            FailureClass.NotPresent,
            [],
            NoInterface(),
            "ExceptionGroup: No interface for AMD:0 is available (3 sub-exceptions)",
            "tinygrad found no GPU it drives: none is on the PCI bus, or its id is not on tinygrad's list.",
            FailureAction.AwaitRepair,
            "Check cable and power of the enclosure; then ./fleet doctor tells which of the two it is.",
            ["tinygrad#15864", "tinygrad#15730", "tinygrad#18084"]
        ),
        new(
            "connection_closed",
            FailureClass.ConnectionLost,
            [
                "RuntimeError: Connection closed",
                "BrokenPipeError: [Errno 32] Broken pipe",
                "] Connection reset by peer",
            ],
            null,
            "RuntimeError: Connection closed",
            "TinyGPU's server ended: the cable was pulled, the enclosure lost power, or the extension was stopped.",
            FailureAction.RestartWorker,
            "Check cable and power of the enclosure.",
            ["tinygrad#16726", "source"]
        ),
    ];

    [GeneratedRegex(
        @"No interface for (?:AMD|NV):\d+ is available|\b(?:AMD|NV):\d+ does not exist \(\d+ devices available\)",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex NoInterface();
}
