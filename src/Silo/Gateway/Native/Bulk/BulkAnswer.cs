using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Gateway.Native.Bulk;

/// <summary>
/// The answer, a line for each line. Most clients read nothing before they have sent everything, so what they do not yet
/// read is kept here and never holds up the reading of their lines: it is bounded by the number of lines.
/// </summary>
internal sealed class BulkAnswer(HttpResponse response)
{
    private const int FlushBytes = 16 << 10;

    private readonly Channel<(int Line, BulkSettlement Settlement)> settled = Channel.CreateUnbounded<(
        int,
        BulkSettlement
    )>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    public void Add(BulkLine line) => settled.Writer.TryWrite((line.Number, line.Settlement!));

    public void Complete() => settled.Writer.TryComplete();

    /// <summary>Until it is complete. The response starts with the first line.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        var body = response.BodyWriter;
        await using var json = new Utf8JsonWriter(body);
        while (await settled.Reader.WaitToReadAsync(cancellationToken))
        {
            response.ContentType ??= JobResults.ContentType;
            while (settled.Reader.TryRead(out var next))
            {
                JsonSerializer.Serialize(json, Outcome(next.Line, next.Settlement), ApiJsonContext.Default.BulkOutcome);
                json.Reset();
                body.Write("\n"u8);
                if (body.UnflushedBytes > FlushBytes)
                    await body.FlushAsync(cancellationToken);
            }
            await body.FlushAsync(cancellationToken);
        }
    }

    private static BulkOutcome Outcome(int line, BulkSettlement settlement) =>
        new(line, settlement.Status, settlement.Job?.ToString(), settlement.IsReplay ? true : null, settlement.Error);
}
