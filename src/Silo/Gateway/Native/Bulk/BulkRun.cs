using System.Net;
using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Kernels.Formats.Lines;

namespace EgpuFleet.Silo.Gateway.Native.Bulk;

/// <summary>
/// One bulk submit: reads lines and sends them off in chunks, settles the chunks in order, and writes the answer, all three
/// at once. Reading waits for settling (so that what is held is bounded), and neither waits for the client to read.
/// </summary>
internal sealed class BulkRun(BulkParser parser, BulkSettler settler, BulkAnswer answer)
{
    private readonly Channel<Chunk> chunks = Channel.CreateBounded<Chunk>(Limits.BulkChunksInFlight);
    private List<BulkLine> gathered = [];
    private long gatheredBytes;
    private bool anythingGathered;
    private bool anythingSettled;

    private sealed record Chunk(List<BulkLine> Lines, List<BulkLine> Open, Task<SubmitReply[]> Sent);

    /// <exception cref="GatewayException">The whole is refused: no line of it was accepted or refused by itself.</exception>
    public async Task RunAsync(Stream input, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] tasks = [ReadAsync(input, stop.Token), SettleAsync(stop.Token), answer.WriteAsync(stop.Token)];
        var all = Task.WhenAll(tasks);
        await foreach (var done in Task.WhenEach(tasks))
        {
            if (!done.IsCompletedSuccessfully)
                await stop.CancelAsync();
        }
        // Whichever failed by itself says why; the others only stopped.
        if (tasks.FirstOrDefault(task => task.IsFaulted) is { } failed)
            await failed;
        await all;
    }

    private async Task ReadAsync(Stream input, CancellationToken cancellationToken)
    {
        await using var lines = new LineReader(input, Limits.BulkLineBytes);
        try
        {
            while (await NextAsync(lines, cancellationToken))
            {
                if (lines.Number > Limits.BulkLines)
                {
                    Gather(Refused(lines.Number, TooMany()), 0);
                    break;
                }
                if (lines.IsTooLong)
                    Gather(Refused(lines.Number, TooLong()), 0);
                else if (settler.Outage is { } outage)
                    Gather(Refused(lines.Number, outage), 0);
                else if (!JsonLine.IsBlank(lines.Line))
                    Gather(await parser.ParseAsync(lines.Line, lines.Number), lines.Line.Length);
                if (gathered.Count >= Limits.BulkChunkLines || gatheredBytes >= Limits.BulkChunkBytes)
                    await SendAsync(cancellationToken);
            }
        }
        catch (GatewayException e) when (lines.Number > 0)
        {
            // The body is too large, or broke off: said in place of the line that could not be read.
            Gather(Refused(lines.Number + 1, e), 0);
        }
        if (!anythingGathered)
            throw GatewayException.Invalid("body", "has no lines");
        await SendAsync(cancellationToken);
        chunks.Writer.Complete();
    }

    /// <summary>Before it waits for the client, it sends what there is.</summary>
    private async ValueTask<bool> NextAsync(LineReader lines, CancellationToken cancellationToken)
    {
        var next = lines.ReadAsync(cancellationToken);
        if (next.IsCompleted)
            return await next;
        var reading = next.AsTask();
        // Both, whatever becomes of one of them: a read must not be left behind.
        await Task.WhenAll(SendAsync(cancellationToken), reading);
        return await reading;
    }

    private void Gather(BulkLine line, long bytes)
    {
        anythingGathered = true;
        gathered.Add(line);
        gatheredBytes += bytes;
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        if (gathered.Count == 0)
            return;
        var open = gathered.FindAll(line => line.Settlement is null);
        var chunk = new Chunk(gathered, open, settler.SendAsync(open));
        (gathered, gatheredBytes) = ([], 0);
        await chunks.Writer.WriteAsync(chunk, cancellationToken);
    }

    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        await foreach (var chunk in chunks.Reader.ReadAllAsync(cancellationToken))
        {
            await settler.SettleAsync(chunk.Open, chunk.Sent, cancellationToken);
            // Nothing has been said yet, and nothing can be: the plain answer of any request serves better.
            if (!anythingSettled && settler.Outage is { } outage && chunk.Open.Count == chunk.Lines.Count)
                throw outage;
            anythingSettled = true;
            chunk.Lines.ForEach(answer.Add);
        }
        answer.Complete();
    }

    private static BulkLine Refused(int number, GatewayException refusal)
    {
        var line = new BulkLine(number);
        line.Refuse(refusal);
        return line;
    }

    private static GatewayException TooLong() =>
        GatewayException.TooLarge($"A line has at most {Limits.BulkLineBytes >> 10} KiB; submit this job by itself.");

    private static GatewayException TooMany() =>
        new(
            HttpStatusCode.RequestEntityTooLarge,
            "too_many_lines",
            $"A request has at most {Limits.BulkLines} lines; this one and those after it were not read."
        );
}
