using System.Runtime.CompilerServices;
using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Jobs;

/// <summary>A job's log: read as far as it goes, and one line of it for people.</summary>
internal static class JobLog
{
    public static async IAsyncEnumerable<JobEventInfo> ReadAsync(
        FleetClient client,
        string id,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        long last = 0;
        while (true)
        {
            var page = await client.ListJobEventsAsync(id, last, cancellationToken);
            foreach (var line in page.Data)
            {
                last = line.Sequence;
                yield return line;
            }
            if (!page.HasMore)
                yield break;
        }
    }

    public static string Line(JobEventInfo line)
    {
        var parts = new List<string> { $"{line.At.ToLocalTime():HH:mm:ss.fff}", line.Type };
        if (line.Shard is { } shard)
            parts.Add($"shard {shard}");
        if (line.Epoch is { } epoch)
            parts.Add($"epoch {epoch}");
        if (line.Device is not null)
            parts.Add($"on {line.Device}");
        if (line.ItemCount is { } items)
            parts.Add(items == 1 ? "1 prompt" : $"{items} prompts");
        if (line.Message is not null)
            parts.Add(line.Message);
        return string.Join("  ", parts);
    }

    public static void Print(FleetConsole console, JobEventInfo line)
    {
        if (console.IsJson)
            console.JsonLine(line);
        else
            console.Line(Line(line));
    }
}
