using System.Net;
using System.Net.Sockets;
using System.Text;
using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>Where the connection of the next turn is cut.</summary>
internal enum Cut
{
    None,

    /// <summary>The server never hears of the turn.</summary>
    BeforeTurn,

    /// <summary>The server gets all of it, and the client is cut off while the server may still be at it.</summary>
    DuringTurn,

    /// <summary>The server commits, and its answer is lost.</summary>
    AfterTurn,
}

/// <summary>
/// A TCP relay in front of Postgres that can cut a connection at a turn of the group commit, told by the name of its pool,
/// which the guard of every turn sends along.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _serverPort;
    private readonly Task _accepting;
    private byte[] _pool = [];
    private Cut _next;

    public CuttingProxy(int serverPort)
    {
        _serverPort = serverPort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Cuts { get; private set; }

    public void CutNext(Cut where, PoolId pool) => (_pool, _next) = (Encoding.ASCII.GetBytes(pool.Value), where);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
                relays.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var _ = client;
        using var server = new TcpClient();
        await server.ConnectAsync(IPAddress.Loopback, _serverPort, _stop.Token);
        using var closed = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var answers = new AnswerGate();
        try
        {
            await Task.WhenAny(
                UpAsync(client, server, answers, closed.Token),
                DownAsync(server, client, answers, closed.Token)
            );
        }
        finally
        {
            await closed.CancelAsync();
        }
    }

    /// <summary>Once shut, the server's next answer is awaited and thrown away: so it is known to have acted.</summary>
    private sealed class AnswerGate
    {
        public volatile bool Shut;
    }

    private async Task UpAsync(
        TcpClient client,
        TcpClient server,
        AnswerGate answers,
        CancellationToken cancellationToken
    )
    {
        var buffer = new byte[65536];
        try
        {
            while (await client.GetStream().ReadAsync(buffer, cancellationToken) is var length && length > 0)
            {
                var cut = _next != Cut.None && buffer.AsSpan(0, length).IndexOf(_pool) >= 0 ? _next : Cut.None;
                if (cut != Cut.None)
                {
                    _next = Cut.None;
                    Cuts++;
                }
                if (cut == Cut.BeforeTurn)
                    return;
                answers.Shut |= cut == Cut.AfterTurn;
                await server.GetStream().WriteAsync(buffer.AsMemory(0, length), cancellationToken);
                if (cut == Cut.DuringTurn)
                    return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Either side hung up.
        }
    }

    private static async Task DownAsync(
        TcpClient server,
        TcpClient client,
        AnswerGate answers,
        CancellationToken cancellationToken
    )
    {
        var buffer = new byte[65536];
        try
        {
            while (await server.GetStream().ReadAsync(buffer, cancellationToken) is var length && length > 0)
            {
                if (answers.Shut)
                    return;
                await client.GetStream().WriteAsync(buffer.AsMemory(0, length), cancellationToken);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Either side hung up.
        }
    }
}
