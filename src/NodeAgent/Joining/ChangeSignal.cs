using System.Threading.Channels;

namespace EgpuFleet.NodeAgent.Joining;

/// <summary>Raised by whatever a heartbeat tells of; changes between two waits count as one.</summary>
public sealed class ChangeSignal
{
    private readonly Channel<bool> raised = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );

    public void Raise() => raised.Writer.TryWrite(true);

    /// <summary>Returns after the next change, or at once when one was raised since the last wait.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) =>
        await raised.Reader.ReadAsync(cancellationToken);
}
