using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Bulk submits that are too large, broken off, garbage or slow: typed refusals, and what was accepted stays.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class BulkHostileTests(RunningSilo silo)
{
    [Fact]
    public async Task A_line_of_10_MB_is_refused_by_itself()
    {
        var lines = $"{Bulk.Noop(1)}\n{Bulk.Noop(2)[..^2]}{new string('x', 10 << 20)}\"}}\n{Bulk.Noop(3)}";

        var outcomes = await silo.SubmitAsync(lines);

        Assert.Equal(["1: 202", "2: 413 request_too_large", "3: 202"], outcomes.Select(Bulk.Said));
    }

    [Fact]
    public async Task Garbage_is_refused_line_by_line()
    {
        var random = new Random(20261123);
        var bytes = new byte[256 << 10];
        random.NextBytes(bytes);
        bytes = [.. bytes, (byte)'\n', .. Encoding.UTF8.GetBytes(Bulk.Noop(1))];

        var outcomes = await silo.SubmitAsync(Bulk.Request(new ByteArrayContent(bytes)));

        Assert.All(outcomes.SkipLast(1), outcome => Assert.InRange(outcome.Status, 400, 499));
        Assert.Equal(202, outcomes[^1].Status);
    }

    [Fact]
    public async Task More_lines_than_a_request_may_have_are_not_read()
    {
        // Lines that are wrong cost no job.
        var lines = string.Concat(Enumerable.Repeat("{}\n", 2 * Limits.BulkLines));

        var outcomes = await silo.SubmitAsync(lines);

        Assert.Equal(Limits.BulkLines + 1, outcomes.Count);
        Assert.Equal($"{Limits.BulkLines + 1}: 413 too_many_lines", Bulk.Said(outcomes[^1]));
        Assert.All(outcomes.SkipLast(1), outcome => Assert.Equal(422, outcome.Status));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n \n")]
    public async Task No_lines_at_all_are_refused(string body)
    {
        using var response = await silo.Http.SendAsync(Bulk.Request(body), TestContext.Current.CancellationToken);

        await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Other_content_types_are_refused()
    {
        using var content = new StringContent(Bulk.Noop(1), Encoding.UTF8, "application/json");

        using var response = await silo.Http.PostAsync(Routes.JobsBulk, content, TestContext.Current.CancellationToken);

        await response.ProblemAsync(HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_of_300_MB_is_refused_as_too_large(bool lengthKnown)
    {
        using var request = Bulk.Request(new GeneratedLines(300L << 20, lengthKnown));
        request.Headers.TransferEncodingChunked = !lengthKnown;

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        if (lengthKnown)
        {
            await response.ProblemAsync(HttpStatusCode.RequestEntityTooLarge);
            return;
        }
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var last = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1];
        Assert.Contains("\"status\":413", last, StringComparison.Ordinal);
        Assert.Contains("request_too_large", last, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_are_answered_while_the_client_thinks_about_the_next_one()
    {
        using var client = await ConnectAsync();
        await SendAsync(client, Bulk.Noop(1) + "\n");

        var first = await ReadUntilAsync(client, "\"line\":1,");
        await SendAsync(client, Bulk.Noop(2) + "\n");
        var second = await ReadUntilAsync(client, "\"line\":2,");
        await EndAsync(client);

        Assert.Contains("\"status\":202", first, StringComparison.Ordinal);
        Assert.Contains("\"status\":202", second, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_accepted_before_the_client_left_stays_and_nothing_is_half_written()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var client = await ConnectAsync();
        await SendAsync(client, string.Concat(Enumerable.Range(0, 600).Select(i => Bulk.Noop(i) + "\n")));
        var answer = await ReadUntilAsync(client, "\"line\":600,");
        var ids = answer
            .Split('\n')
            .Where(line => line.Contains("\"status\":202", StringComparison.Ordinal))
            .Select(line => line[line.IndexOf("job_", StringComparison.Ordinal)..][..36])
            .ToArray();
        // In the middle of a line, and for good.
        await SendAsync(client, Bulk.Noop(601)[..20]);
        client.Client.Close(timeout: 0);
        client.Dispose();

        Assert.Equal(600, ids.Length);
        foreach (var id in ids.Take(5).Concat(ids.TakeLast(5)))
        {
            var job = await silo.Client.GetJobAsync(id, cancellationToken);
            Assert.Equal(("queued", 1), (job.State, job.Items.Total));
        }
        Assert.Single(await silo.SubmitAsync(Bulk.Noop(1)));
    }

    [Fact]
    public async Task A_client_that_reads_nothing_until_it_has_sent_everything_is_served()
    {
        using var client = await ConnectAsync();
        // Far more answer than the buffers of a connection hold.
        var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{}\n", 60_000)));
        for (var sent = 0; sent < lines.Length; sent += 6000)
            await SendAsync(client, Encoding.UTF8.GetString(lines, sent, Math.Min(6000, lines.Length - sent)));
        await EndAsync(client);

        var answer = await ReadUntilAsync(client, "\"line\":60000,");

        Assert.Contains("\"line\":1,", answer, StringComparison.Ordinal);
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, silo.Port, TestContext.Current.CancellationToken);
        var head =
            $"POST {Routes.JobsBulk} HTTP/1.1\r\nHost: 127.0.0.1:{silo.Port}\r\n"
            + "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), TestContext.Current.CancellationToken);
        return client;
    }

    private static async Task SendAsync(TcpClient client, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var size = bytes.Length.ToString("x", CultureInfo.InvariantCulture);
        byte[] chunk = [.. Encoding.ASCII.GetBytes(size + "\r\n"), .. bytes, .. "\r\n"u8];
        await client.GetStream().WriteAsync(chunk, TestContext.Current.CancellationToken);
    }

    private static async Task EndAsync(TcpClient client) =>
        await client.GetStream().WriteAsync("0\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);

    private static async Task<string> ReadUntilAsync(TcpClient client, string text)
    {
        var read = new StringBuilder();
        var buffer = new byte[64 << 10];
        // The end of the line that has the text must be there too.
        while (!IsThere(read, text))
        {
            var count = await client.GetStream().ReadAsync(buffer, TestContext.Current.CancellationToken);
            Assert.True(count > 0, $"The gateway closed: {read}");
            read.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        return read.ToString();
    }

    private static bool IsThere(StringBuilder read, string text)
    {
        var tail = read.ToString(Math.Max(0, read.Length - (128 << 10)), Math.Min(read.Length, 128 << 10));
        var at = tail.IndexOf(text, StringComparison.Ordinal);
        return at >= 0 && tail.IndexOf('\n', at) >= 0;
    }
}
