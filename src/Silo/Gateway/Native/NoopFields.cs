using System.Globalization;
using System.Text;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>What a request may say about a no-op: its payload and what its worker does.</summary>
internal static class NoopFields
{
    private static readonly string First = 0.ToString(CultureInfo.InvariantCulture);

    public static NoopParameters Parameters(JobRequest job)
    {
        if (job.Model is not null)
            throw GatewayException.Invalid("model", "must be left out: a noop needs none");
        if (job.Generation is not null)
            throw GatewayException.Invalid("generation", "must be left out: a noop generates nothing");
        if ((job.Require ?? job.Prefer) is not null)
            throw GatewayException.Invalid(
                job.Require is null ? "prefer" : "require",
                "must be left out: a noop runs beside a device, not on it"
            );
        TuneFields.RequireNone(job);
        if (job.DurationMs is < 0 or > Limits.NoopMilliseconds)
            throw GatewayException.Invalid("duration_ms", $"must be between 0 and {Limits.NoopMilliseconds}");
        return new NoopParameters(job.DurationMs ?? 0, Fault(job.Fault));
    }

    /// <summary>The items that the request itself describes; null when it has none.</summary>
    public static IReadOnlyList<BatchItem>? Items(JobRequest job)
    {
        if (job.Payload is null)
        {
            if (job.Array is not null)
                throw GatewayException.Invalid("array", "repeats a payload; items are an array by themselves");
            return job.Items is null ? null : new BatchItems(null).FromList(job.Items);
        }
        if (job.Items is not null)
            throw GatewayException.Invalid("items", "must be left out beside payload");
        if (job.Payload.Length > Limits.PayloadBytes || Encoding.UTF8.GetByteCount(job.Payload) > Limits.PayloadBytes)
            throw GatewayException.Invalid("payload", $"must have at most {Limits.PayloadBytes} bytes");
        if (!Texts.IsStorable(job.Payload))
            throw GatewayException.Invalid("payload", "contains the character U+0000");
        if (job.Array is null)
            return [new BatchItem(0, First, job.Payload, null)];
        return job.Array.Count is >= 1 and <= Limits.ItemsPerJob
            ? Repeated(job.Payload, job.Array.Count.Value)
            : throw GatewayException.Invalid("array.count", $"must be between 1 and {Limits.ItemsPerJob}");
    }

    /// <summary>Refuses in other kinds what only a no-op has.</summary>
    public static void RequireNone(JobRequest job)
    {
        if (job.Payload is not null)
            throw GatewayException.Invalid("payload", "is for jobs of kind noop; give items");
        if (job.DurationMs is not null)
            throw GatewayException.Invalid("duration_ms", "is for jobs of kind noop");
        if (job.Fault is not null)
            throw GatewayException.Invalid("fault", "is for jobs of kind noop");
        if (job.Array is not null)
            throw GatewayException.Invalid("array", "is for jobs of kind noop; the array of a batch is its items");
    }

    private static BatchItem[] Repeated(string payload, int count)
    {
        var items = new BatchItem[count];
        for (var i = 0; i < count; i++)
            items[i] = new BatchItem(i, i.ToString(CultureInfo.InvariantCulture), payload, null);
        return items;
    }

    private static NoopFault Fault(string? word) =>
        word switch
        {
            null or "none" => NoopFault.None,
            "fail" => NoopFault.Fail,
            "fail_retryable" => NoopFault.FailRetryable,
            "crash" => NoopFault.Crash,
            "hang" => NoopFault.Hang,
            _ => throw GatewayException.Invalid("fault", "must be none, fail, fail_retryable, crash or hang"),
        };
}
