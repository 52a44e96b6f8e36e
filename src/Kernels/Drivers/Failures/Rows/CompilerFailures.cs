using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Drivers.Failures.Rows;

/// <summary>What compiles kernels on the Mac.</summary>
internal static partial class CompilerFailures
{
    public static FailureSignature[] Rows { get; } =
    [
        new(
            "compiler_container_down",
            FailureClass.CompilerUnavailable,
            ["error: unpack requires a buffer of 4 bytes"],
            null,
            "struct.error: unpack requires a buffer of 4 bytes",
            "The container that compiles Nvidia kernels ended or never started: Docker is down.",
            FailureAction.AwaitRepair,
            "Start Docker (open -a Docker), or use the compiler that needs none: python3 -m pip install tinymesa, then DEV=NV:NAK.",
            ["source"]
        ),
        new(
            "compiler_input_unseen",
            FailureClass.CompilerUnavailable,
            [],
            CompilerInput(),
            "cc1plus: fatal error: /tmp/tmpz3rt84e5.cu: No such file or directory",
            "The container that compiles Nvidia kernels does not see the folder for temporary files.",
            FailureAction.AwaitRepair,
            "Set TMPDIR to a folder below your home folder for the agent, such as TMPDIR=\"$HOME/tinygpu-tmp\".",
            ["tinygrad#15572", "tinygrad#15638"]
        ),
        new(
            "amd_compiler_fallback",
            FailureClass.CompilerUnavailable,
            ["failed to render Ops.CUSTOM"],
            null,
            "failed to render Ops.CUSTOM with dtypes.float srcs [dtypes.float]",
            "AMD's compiler (comgr) is missing and LLVM, taken in its place, does not know AMD's own kernels.",
            FailureAction.AwaitRepair,
            "Install comgr: run extra/setup_hipcomgr_osx.sh of tinygrad; it puts libamd_comgr.dylib into /opt/homebrew/lib.",
            ["tinygrad#17780"]
        ),
        new(
            "search_stuck",
            FailureClass.TuningStalled,
            [],
            StuckSearch(),
            "JITBEAM=2: It takes forever on my M1 Pro to finish and gets stuck at 73%",
            "A search for faster kernels compiles thousands of them and some take minutes each.",
            FailureAction.StopTuning,
            "Leave JITBEAM and BEAM out of the agent's environment; search only as a job of its own with a time limit.",
            ["tinygrad#15669", "tinygrad#15652"]
        ),
    ];

    [GeneratedRegex(
        @"fatal error: [^\n]{1,400}\.cu: No such file or directory",
        RegexOptions.CultureInvariant,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex CompilerInput();

    [GeneratedRegex(
        @"BEAM.{0,400}?stuck at \d{1,3} ?%",
        RegexOptions.CultureInvariant | RegexOptions.Singleline,
        Limits.FailureExpressionMilliseconds
    )]
    private static partial Regex StuckSearch();
}
