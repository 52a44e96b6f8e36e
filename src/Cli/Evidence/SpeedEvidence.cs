using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Measuring;

namespace EgpuFleet.Cli.Evidence;

/// <summary>How fast a device serves blocks of real shapes, and which share of its memory's bandwidth that is.</summary>
internal static class SpeedEvidence
{
    private const double BytesPerGigabyte = 1e9;

    /// <summary>The next shape has about so many times the weights of the last one.</summary>
    private const int Growth = 4;

    public static async Task<EvidenceFinding> MeasureAsync(EvidenceSession session, CancellationToken cancellationToken)
    {
        var worker = await session.OpenAsync(cancellationToken);
        var probe = new SpeedProbe(worker.Client, session.Folder, session.Model.Spec.Threads, session.Clock);
        var shapes = session.Subject.IsGpu ? ProbeShape.Full(WeightKind.Q4) : ProbeShape.Quick(WeightKind.Q4);
        var samples = new List<SpeedSample>();
        var last = TimeSpan.Zero;
        foreach (var shape in shapes)
        {
            if (last * Growth > session.Budget.Left)
                break;
            var started = session.Clock.GetTimestamp();
            samples.Add(await probe.MeasureAsync(shape, cancellationToken));
            last = session.Clock.GetElapsedTime(started);
        }
        if (samples.Count == 0)
            return EvidenceFinding.NotRun("no time was left");
        var bandwidth =
            session.Subject.Device.Kind == DeviceKind.Cpu
                ? ReadBandwidth.Measure(session.Clock)
                : DataSheetBandwidth.Of(session.Subject.Device);
        return Describe(samples, shapes.Count, bandwidth, session.Subject.IsGpu ? "by the data sheet" : "measured");
    }

    /// <summary>Pure.</summary>
    /// <param name="bandwidth">Bytes a second; null: not known.</param>
    internal static EvidenceFinding Describe(
        IReadOnlyList<SpeedSample> samples,
        int shapes,
        double? bandwidth,
        string source
    )
    {
        var largest = samples.MaxBy(sample => sample.Shape.ActiveBytes)!;
        var reached = largest.Shape.ActiveBytes / largest.TokenSeconds;
        var prompt = largest.PromptTokens * largest.Shape.FlopsPerToken / largest.PromptSeconds;
        var share = bandwidth is { } known ? reached / known : double.NaN;
        var of = double.IsNaN(share)
            ? "the memory's bandwidth is not known"
            : $"{share:P0} of {bandwidth / BytesPerGigabyte:0} GB/s ({source})";
        var missing = samples.Count < shapes ? $"; {shapes - samples.Count} larger shapes did not fit the time" : "";
        return EvidenceFinding.Of(
            passed: true,
            $"{largest.Shape.Blocks} block(s) of width {largest.Shape.Hidden}, Q4: decode reads "
                + $"{reached / BytesPerGigabyte:0.0} GB/s, {of}; prompts {prompt / 1e12:0.000} TFLOP/s; "
                + $"{SpeedProbe.Batch} sequences {largest.BatchTokensPerSecond * largest.TokenSeconds:0.0} times one{missing}",
            [
                ("decode_bytes_per_second", reached),
                ("bandwidth_bytes_per_second", bandwidth ?? double.NaN),
                ("bandwidth_share", share),
                ("prompt_flops_per_second", prompt),
                ("batch_gain", largest.BatchTokensPerSecond * largest.TokenSeconds),
                .. samples.SelectMany(Figures),
            ]
        );
    }

    private static IEnumerable<(string, double)> Figures(SpeedSample sample)
    {
        var shape = $"q4_{sample.Shape.Hidden}x{sample.Shape.Blocks}";
        yield return ($"{shape}_token_seconds", sample.TokenSeconds);
        yield return ($"{shape}_prompt_{sample.PromptTokens}_seconds", sample.PromptSeconds);
        yield return ($"{shape}_batch_tokens_per_second", sample.BatchTokensPerSecond);
        yield return ($"{shape}_load_seconds", sample.LoadSeconds);
    }
}
