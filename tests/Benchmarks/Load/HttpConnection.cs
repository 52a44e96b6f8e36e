using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EgpuFleet.Benchmarks.Load;

/// <summary>An answer: its status, and its body, which the connection's next request overwrites.</summary>
internal readonly record struct HttpAnswer(int Status, ReadOnlyMemory<byte> Body)
{
    public string Text => Encoding.UTF8.GetString(Body.Span);
}

/// <summary>
/// One kept-alive HTTP/1.1 connection that sends prepared bytes, so that the load process leaves the processor to what it
/// measures. Reads bodies with a length and chunked ones, nothing else; one request at a time.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };

    private byte[] _buffer = new byte[16 << 10];
    private int _filled;
    private int _read;

    public static async Task<HttpConnection> OpenAsync(Uri gateway, CancellationToken cancellationToken)
    {
        var connection = new HttpConnection();
        try
        {
            await connection._socket.ConnectAsync(IPAddress.Loopback, gateway.Port, cancellationToken);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <param name="request">Head and body, complete.</param>
    /// <exception cref="IOException">The answer is cut short, too large, or none that this client reads.</exception>
    public async ValueTask<HttpAnswer> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        while (!request.IsEmpty)
            request = request[await _socket.SendAsync(request, cancellationToken)..];
        (_filled, _read) = (0, 0);
        var head = await HeadAsync(cancellationToken);
        var status = Status(_buffer.AsSpan(0, head));
        if (Length(_buffer.AsSpan(0, head)) is { } length)
        {
            await FillAsync(length, cancellationToken);
            return new HttpAnswer(status, _buffer.AsMemory(_read, length));
        }
        return new HttpAnswer(status, await ChunksAsync(cancellationToken));
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Length of the head with its empty line; what follows it is still to be read.</summary>
    private async ValueTask<int> HeadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var end = _buffer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
                return _read = end + 4;
            if (_filled > Limits.HeadBytes)
                throw new IOException("The head of the answer is too large.");
            await ReceiveAsync(cancellationToken);
        }
    }

    /// <summary>Joins the chunks in place: the body is never longer than what came over the wire.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> ChunksAsync(CancellationToken cancellationToken)
    {
        var start = _read;
        var written = start;
        while (true)
        {
            int line;
            while ((line = _buffer.AsSpan(_read, _filled - _read).IndexOf("\r\n"u8)) < 0)
                await ReceiveAsync(cancellationToken);
            if (!Utf8Parser.TryParse(_buffer.AsSpan(_read, line), out int size, out var used, 'x') || used == 0)
                throw new IOException("The answer is no HTTP/1.1 answer: a chunk has no size.");
            _read += line + 2;
            await FillAsync(size + 2, cancellationToken);
            _buffer.AsSpan(_read, size).CopyTo(_buffer.AsSpan(written));
            _read += size + 2;
            written += size;
            if (size == 0)
                return _buffer.AsMemory(start, written - start);
        }
    }

    /// <summary>Waits until <paramref name="count"/> bytes are there to read.</summary>
    private async ValueTask FillAsync(int count, CancellationToken cancellationToken)
    {
        while (_filled - _read < count)
            await ReceiveAsync(cancellationToken);
    }

    private async ValueTask ReceiveAsync(CancellationToken cancellationToken)
    {
        if (_filled == _buffer.Length)
        {
            if (_buffer.Length >= Limits.AnswerBytes)
                throw new IOException("The answer is too large.");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
        var received = await _socket.ReceiveAsync(_buffer.AsMemory(_filled), cancellationToken);
        if (received == 0)
            throw new IOException("The gateway closed the connection in the middle of an answer.");
        _filled += received;
    }

    private static int Status(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("HTTP/1.1 "u8) && Utf8Parser.TryParse(head[9..], out int status, out _))
            return status;
        throw new IOException("The answer is no HTTP/1.1 answer.");
    }

    /// <summary>Null: chunked.</summary>
    private static int? Length(ReadOnlySpan<byte> head)
    {
        var text = Encoding.ASCII.GetString(head);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase))
                return int.Parse(line["content-length:".Length..]);
            if (line.StartsWith("transfer-encoding: chunked", StringComparison.OrdinalIgnoreCase))
                return null;
        }
        return 0;
    }
}
