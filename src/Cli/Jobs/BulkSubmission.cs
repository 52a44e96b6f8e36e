using System.Net;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Jobs;

/// <summary>
/// Submits many jobs so that each exists once: whatever breaks, all lines are sent again under the same key, and the
/// outcomes of the last try are the ones that count.
/// </summary>
internal sealed class BulkSubmission(FleetClient client, string key, FleetConsole console, TimeProvider clock)
{
    private readonly Steps steps = new(console, clock);

    /// <param name="open">Opens the lines; called anew for each try.</param>
    /// <param name="output">Where the outcomes go, one a line; - for the standard output, null for nowhere.</param>
    public async Task<BulkSummary> SendAsync(Func<Stream> open, string? output, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var summary = await TryAsync(open, output, cancellationToken);
                if (summary.NotStored == 0 || attempt == Limits.CallAttempts)
                    return summary;
                Say($"{summary.NotStored} lines are not known to be stored; all are sent again under the same key");
            }
            catch (Exception e) when (attempt < Limits.CallAttempts && IsWorthRepeating(e))
            {
                Say($"{e.Message} All lines are sent again under the same key");
            }
            await Task.Delay(Limits.BulkDelay, clock, cancellationToken);
        }
    }

    private async Task<BulkSummary> TryAsync(Func<Stream> open, string? output, CancellationToken cancellationToken)
    {
        await using var lines = open();
        long sent = 0;
        var said = clock.GetTimestamp();
        await using var counted = new CountedStream(
            lines,
            bytes =>
            {
                sent += bytes;
                if (clock.GetElapsedTime(said) < Limits.ProgressInterval)
                    return;
                said = clock.GetTimestamp();
                Say($"{Format.Bytes(sent)} of {Format.Bytes(lines.Length)} sent");
            }
        );
        var summary = new BulkSummary(key);
        await using var file = output is null or "-" ? null : new StreamWriter(output, append: false);
        var writer = output == "-" ? console.Output : file;
        await foreach (var outcome in client.SubmitBulkAsync(counted, key, cancellationToken))
        {
            summary.See(outcome);
            if (writer is not null)
                await writer.WriteLineAsync(JsonSerializer.Serialize(outcome, ApiJsonContext.Default.BulkOutcome));
            if (clock.GetElapsedTime(said) < Limits.ProgressInterval)
                continue;
            said = clock.GetTimestamp();
            Say($"{summary.Lines} lines answered");
        }
        return summary;
    }

    /// <summary>To the error stream, so that outcomes on the standard output stay alone.</summary>
    private void Say(string what)
    {
        if (!console.IsJson)
            console.Error.WriteLine($"{steps.Elapsed.TotalSeconds, 6:0.0} s  {what}");
    }

    /// <summary>A refused connection is an answer: no fleet runs there.</summary>
    private static bool IsWorthRepeating(Exception failure) =>
        failure is HttpRequestException { HttpRequestError: not HttpRequestError.ConnectionError } or HttpIOException
        || failure is FleetApiException { Status: HttpStatusCode.ServiceUnavailable };
}
