using System.Net;
using System.Net.Sockets;
using System.Text;
using EgpuFleet.Benchmarks.Load;

namespace EgpuFleet.Benchmarks.Tests;

/// <summary>The load client's reading of answers, against a socket that sends them in pieces.</summary>
public sealed class HttpConnectionTests
{
    [Theory]
    [InlineData("HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\n|hello", 202, "hello")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "")]
    [InlineData(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel|lo\r\n6\r\n world\r|\n0\r\n\r\n",
        200,
        "hello world"
    )]
    [InlineData("HTTP/1.1 503 S|ervice Unavailable\r\ncontent-length: 0\r|\n\r\n", 503, "")]
    public async Task An_answer_is_read_however_it_is_cut(string pieces, int status, string body)
    {
        var answer = await AskAsync(pieces.Split('|'));

        Assert.Equal((status, body), (answer.Status, answer.Text));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("SSH-2.0\r\n\r\n")]
    public async Task An_answer_that_is_none_is_an_error(string answer) =>
        await Assert.ThrowsAsync<IOException>(() => AskAsync([answer]));

    [Fact]
    public void A_bulk_answer_acknowledges_the_lines_that_were_accepted()
    {
        var body = """{"status":202}""" + "\n" + """{"status":422}""" + "\n" + """{"status":202}""" + "\n";

        Assert.Equal(2, Acknowledgement.Count(new HttpAnswer(200, Encoding.UTF8.GetBytes(body)), bulk: true));
        Assert.Throws<IOException>(() => Acknowledgement.Count(new HttpAnswer(503, default), bulk: true));
    }

    private static async Task<HttpAnswer> AskAsync(string[] pieces)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var gateway = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        using var connection = await HttpConnection.OpenAsync(gateway, cancellationToken);
        using var server = await listener.AcceptSocketAsync(cancellationToken);
        server.NoDelay = true;
        var answer = connection.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), cancellationToken).AsTask();
        foreach (var piece in pieces)
            await server.SendAsync(Encoding.ASCII.GetBytes(piece), cancellationToken);
        server.Shutdown(SocketShutdown.Send);
        return await answer;
    }
}
