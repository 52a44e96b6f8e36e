using System.Collections.Concurrent;
using System.Threading.Channels;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>A request a client waits for: the mailbox of its responses, bounded by the credit it gave.</summary>
internal sealed class PendingRequest : IDisposable
{
    private readonly ConcurrentDictionary<long, PendingRequest> pending;
    private readonly Channel<ResponseHeader> responses = Channel.CreateBounded<ResponseHeader>(
        new BoundedChannelOptions(Limits.CreditTokens + 2) { SingleReader = true }
    );

    public PendingRequest(long id, ConcurrentDictionary<long, PendingRequest> pending)
    {
        Id = id;
        this.pending = pending;
        pending[id] = this;
    }

    public long Id { get; }

    public bool TryPost(ResponseHeader response) => responses.Writer.TryWrite(response);

    public void Fail(EngineException exception) => responses.Writer.TryComplete(exception);

    /// <exception cref="EngineException">The connection ended.</exception>
    public async ValueTask<ResponseHeader> NextAsync(CancellationToken cancellationToken)
    {
        while (await responses.Reader.WaitToReadAsync(cancellationToken))
        {
            if (responses.Reader.TryRead(out var response))
                return response;
        }
        throw new EngineException(EngineErrorClass.WorkerLost, "The request has ended.");
    }

    public void Dispose() => pending.TryRemove(Id, out _);
}
