using System.Text.RegularExpressions;
using EgpuFleet.Grains.Interfaces.Tuning;

namespace EgpuFleet.Grains.Tuning;

/// <summary>What must hold of tuned kernels before they are kept: an agent's word is checked like any other from outside.</summary>
internal static partial class TuningRules
{
    /// <summary>Faster than any kernel runs.</summary>
    private const double LeastSeconds = 1e-8;

    /// <summary>Longer than any kernel of a step runs.</summary>
    private const double MostSeconds = 1000;

    public static bool IsClass(TuningClass of) =>
        of.Device.Length <= Limits.TuningClassCharacters
        && of.EngineVersion.Length <= Limits.EngineVersionCharacters
        && Word().IsMatch(of.Device)
        && Word().IsMatch(of.EngineVersion);

    /// <summary>Those of the report that may be kept, each kernel once, the fastest.</summary>
    public static IReadOnlyList<KernelTuning> Good(TuningReport report) =>
        [
            .. report
                .Kernels.Take(Limits.ReportedKernels)
                .Where(IsGood)
                .GroupBy(one => one.Kernel, StringComparer.Ordinal)
                .Select(same => same.MinBy(one => one.SecondsAfter)!),
        ];

    private static bool IsGood(KernelTuning one) =>
        one is { Kernel: not null, Opts: { Length: <= Limits.OptsCharacters } opts }
        && Kernel().IsMatch(one.Kernel)
        && Opts().IsMatch(opts)
        && one.SecondsAfter >= LeastSeconds
        && one.SecondsAfter < one.SecondsBefore
        && one.SecondsBefore <= MostSeconds;

    [GeneratedRegex(@"^[\x20-\x7e]+\z", RegexOptions.NonBacktracking)]
    private static partial Regex Word();

    [GeneratedRegex(@"^[0-9a-f]{64}\z", RegexOptions.NonBacktracking)]
    private static partial Regex Kernel();

    /// <summary>Words such as <c>UPCAST:0:4</c>; what they mean is the engine's affair.</summary>
    [GeneratedRegex(
        @"^(?:[A-Z]{2,8}(?::[0-9,-]{1,16}){0,2}(?: [A-Z]{2,8}(?::[0-9,-]{1,16}){0,2}){0,11})?\z",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex Opts();
}
