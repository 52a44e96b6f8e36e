using System.Globalization;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>What a request may say about a search for faster kernels.</summary>
internal static class TuneFields
{
    /// <summary>The search itself: its result is the job's.</summary>
    public static readonly IReadOnlyList<BatchItem> Items =
    [
        new BatchItem(0, 0.ToString(CultureInfo.InvariantCulture), string.Empty, null),
    ];

    public static TuneParameters Parameters(JobRequest job)
    {
        if (job.Generation is not null)
            throw GatewayException.Invalid("generation", "must be left out: a tune generates nothing");
        if (job.Items is not null)
            throw GatewayException.Invalid("items", "must be left out: a tune is one search");
        var seconds = job.Tune?.Seconds ?? TuneParameters.UsualSeconds;
        return seconds is >= TuneParameters.LeastSeconds and <= TuneParameters.MostSeconds
            ? new TuneParameters(seconds)
            : throw GatewayException.Invalid(
                "tune.seconds",
                $"must be between {TuneParameters.LeastSeconds} and {TuneParameters.MostSeconds}"
            );
    }

    /// <summary>Refuses in other kinds what only a tune has.</summary>
    public static void RequireNone(JobRequest job)
    {
        if (job.Tune is not null)
            throw GatewayException.Invalid("tune", "is for jobs of kind tune");
    }
}
