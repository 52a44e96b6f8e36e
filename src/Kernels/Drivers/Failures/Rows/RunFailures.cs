using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Drivers.Failures.Rows;

/// <summary>A GPU that was open and stopped working.</summary>
internal static partial class RunFailures
{
    public static FailureSignature[] Rows { get; } =
    [
        new(
            "emulator_returns_zeros",
            FailureClass.NumbersWrong,
            ["failed to load library ocelot"],
            null,
            "failed to execute: failed to load library ocelot",
            "The emulated Nvidia GPU has no emulator: it computes nothing and returns zeros without an error.",
            FailureAction.AwaitRepair,
            "Do not use DEV=MOCK+NV; for a trial without a GPU use DEV=CPU.",
            ["source"]
        ),
        new(
            "device_fault",
            FailureClass.DeviceHung,
            ["Device fault detected"],
            MmuFault(),
            "RuntimeError: MMU fault: 0x7D9A2A620000 | NotPresent=1 ReadOnly=0 NoExecute=0 imprecise=0",
            "A kernel touched memory that is not its own.",
            FailureAction.RestartWorker,
            "If the same model faults the same GPU again, try it on another device and report it.",
            ["tinygrad#8599", "tinygrad#18241", "source"]
        ),
        new(
            "device_hang",
            FailureClass.DeviceHung,
            ["Device hang detected", "Device is in error state"],
            WaitTimeout(),
            "RuntimeError: Wait timeout: 30000 ms! (the signal is not set to 724, but 723)",
            "The GPU did not finish a kernel within its time.",
            FailureAction.RestartWorker,
            "Switch the enclosure off and on if it happens twice; check the power supply and the temperature of the card.",
            ["tinygrad#8269", "source"]
        ),
        new(
            "out_of_memory",
            FailureClass.OutOfMemory,
            ["Failed to allocate memory (OOM). Request size="],
            AllocationFailed(),
            "MemoryError: Allocation of 1.50 GB failed on AMD. Used: 23.90 GB",
            "The model and its cache need more memory than the GPU has left.",
            FailureAction.RefuseModel,
            "Use a smaller quantisation or a shorter context.",
            ["source"]
        ),
    ];

    [GeneratedRegex(@"\bMMU fault: 0x[0-9A-Fa-f]", RegexOptions.CultureInvariant, Limits.FailureExpressionMilliseconds)]
    private static partial Regex MmuFault();

    [GeneratedRegex(
        @"Wait timeout: \d+ ms! \(the signal is not set",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex WaitTimeout();

    [GeneratedRegex(
        @"MemoryError: Allocation of [^\n]{1,100} failed on ",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex AllocationFailed();
}
