namespace EgpuFleet.NodeAgent.Models;

/// <summary>Something that may be used only while nobody asks for it; asking ends the use.</summary>
internal sealed class ModelLoan
{
    private readonly Lock gate = new();
    private CancellationTokenSource? use;
    private int asking;

    /// <summary>Ends the use under way and allows no new one until this is disposed.</summary>
    public IDisposable Recall()
    {
        lock (gate)
        {
            asking++;
            use?.Cancel();
        }
        return new Asking(this);
    }

    /// <returns>False: somebody asks already, or did so before the end.</returns>
    public async Task<bool> UseAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        lock (gate)
        {
            if (asking > 0)
                return false;
            use = source;
        }
        try
        {
            await work(source.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            lock (gate)
                use = null;
        }
    }

    private sealed class Asking(ModelLoan loan) : IDisposable
    {
        public void Dispose()
        {
            lock (loan.gate)
                loan.asking--;
        }
    }
}
