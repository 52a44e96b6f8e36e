using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EgpuFleet.Benchmarks.Load;

/// <summary>
/// The verb <c>respond</c>: accepts every submit at once and does nothing with it, so that what the load process could
/// send at most is known. Prints its port, and ends with its standard input.
/// </summary>
internal static class CannedResponder
{
    public const string Verb = "respond";

    private static readonly byte[] Answer = Encoding.ASCII.GetBytes(
        "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    );

    public static async Task RunAsync(CancellationToken cancellationToken)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Console.WriteLine(((IPEndPoint)listener.LocalEndpoint).Port);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var input = Task.Run(Console.In.ReadToEnd, CancellationToken.None);
        var accepting = AcceptAsync(listener, stop.Token);
        await Task.WhenAny(input, accepting);
        await stop.CancelAsync();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task AcceptAsync(TcpListener listener, CancellationToken cancellationToken)
    {
        while (true)
        {
            var client = await listener.AcceptSocketAsync(cancellationToken);
            _ = Task.Run(() => AnswerAsync(client, cancellationToken), cancellationToken);
        }
    }

    /// <summary>Every request is the same: the first says how long all are.</summary>
    private static async Task AnswerAsync(Socket client, CancellationToken cancellationToken)
    {
        using var _ = client;
        client.NoDelay = true;
        var buffer = new byte[64 << 10];
        var length = 0;
        var pending = 0;
        int received;
        while ((received = await client.ReceiveAsync(buffer.AsMemory(pending), cancellationToken)) > 0)
        {
            pending += received;
            if (length == 0)
                length = RequestLength(buffer.AsSpan(0, pending));
            if (length == 0 || pending < length)
                continue;
            pending = 0;
            await client.SendAsync(Answer, cancellationToken);
        }
    }

    /// <summary>0 while the head is not complete.</summary>
    private static int RequestLength(ReadOnlySpan<byte> request)
    {
        var head = request.IndexOf("\r\n\r\n"u8);
        if (head < 0)
            return 0;
        var name = request.IndexOf("Content-Length: "u8) + "Content-Length: ".Length;
        var digits = request[name..head];
        var end = digits.IndexOf((byte)'\r');
        return head + 4 + int.Parse(Encoding.ASCII.GetString(end < 0 ? digits : digits[..end]));
    }
}
