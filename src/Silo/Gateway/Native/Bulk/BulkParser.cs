using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Gateway.Native.Bulk;

/// <summary>
/// Turns lines into requests, or into refusals of their own. A line may depend only on lines before it, so no set of lines
/// can depend on each other in a circle. One instance serves one HTTP request: it remembers the names seen.
/// </summary>
/// <param name="key">Idempotency key of the whole; each line has one of its own, derived from it.</param>
internal sealed class BulkParser(JobDrafts drafts, string? key, TimeProvider time)
{
    private readonly Dictionary<string, BulkLine> named = new(StringComparer.Ordinal);
    private readonly string? trace = Activity.Current?.Id;

    public async ValueTask<BulkLine> ParseAsync(ReadOnlySequence<byte> json, int number)
    {
        var line = new BulkLine(number);
        string? name = null;
        try
        {
            var job = Read(json);
            name = NameOf(job);
            line.Ask(await RequestAsync(job, json, number), RefsOf(job));
        }
        catch (Exception e)
            when (ErrorBoundary.Classify(e) is { Status: not System.Net.HttpStatusCode.InternalServerError } refusal)
        {
            line.Refuse(refusal);
        }
        // A line that was refused keeps its name, so that those that depend on it say so.
        if (name is not null)
            named.TryAdd(name, line);
        return line;
    }

    private static JobRequest Read(in ReadOnlySequence<byte> json)
    {
        try
        {
            return NativeJson.Read<JobRequest>(json);
        }
        catch (JsonException e)
        {
            throw new GatewayException(
                System.Net.HttpStatusCode.UnprocessableEntity,
                "invalid_json",
                $"The job is not valid: {NativeJson.Describe(e)}."
            );
        }
    }

    private string? NameOf(JobRequest job)
    {
        if (job.Ref is null)
            return null;
        if (job.Ref.Length is 0 or > Limits.RefLength || job.Ref.Any(char.IsControl))
            throw GatewayException.Invalid(
                "ref",
                $"must have 1 to {Limits.RefLength} characters and no control characters"
            );
        return named.TryGetValue(job.Ref, out var earlier)
            ? throw GatewayException.Invalid("ref", $"is already the name of line {earlier.Number}")
            : job.Ref;
    }

    private async ValueTask<SubmitRequest> RequestAsync(JobRequest job, ReadOnlySequence<byte> json, int number)
    {
        var draft = await drafts.MakeAsync(job, byRef: ResolveRef);
        if (!draft.IsSmall)
            throw GatewayException.Invalid(
                job.Array is null ? "items" : "array.count",
                $"a line has at most {Limits.InlineItems} items of {Limits.InlineBytes >> 10} KiB in all; submit this job by itself"
            );
        var spec = draft.Spec(JobId.New(time.GetUtcNow()), draft.Items!.Count, trace);
        return new SubmitRequest(
            spec,
            key is null ? null : new IdempotencyKey(KeyOf(key, number), Hash(json)),
            draft.Items
        );
    }

    /// <summary>A space cannot be part of a key that a client gives, so no other request can have this one.</summary>
    private static string KeyOf(string key, int number) => $"{key} {number}";

    private JobId ResolveRef(string name, string field)
    {
        if (!named.TryGetValue(name, out var line))
            throw GatewayException.Invalid(field, "is not the name of an earlier line");
        return line.Settlement is { Error: not null } ? throw NotAccepted(field, line) : line.Job;
    }

    public static GatewayException NotAccepted(string field, BulkLine line) =>
        GatewayException.Invalid(
            field,
            $"line {line.Number}, which it names, was not accepted",
            "dependency_not_accepted"
        );

    private List<(int, BulkLine)> RefsOf(JobRequest job)
    {
        List<(int, BulkLine)> refs = [];
        for (var i = 0; i < (job.DependsOn?.Count ?? 0); i++)
        {
            if (job.DependsOn![i].Ref is { } name)
                refs.Add((i, named[name]));
        }
        return refs;
    }

    private static string Hash(in ReadOnlySequence<byte> line)
    {
        if (line.IsSingleSegment)
            return Convert.ToHexStringLower(SHA256.HashData(line.FirstSpan));
        return Convert.ToHexStringLower(SHA256.HashData(line.ToArray()));
    }
}
