using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>A running generate, tune or call of training of one connection: the handle to cancel it, and how many frames the client allows.</summary>
internal sealed class GenerateCall(int creditTokens) : IDisposable
{
    private readonly CancellationTokenSource cancelling = new();
    private readonly SemaphoreSlim credit = new(Checked(creditTokens), Limits.CreditTokens);
    private readonly Lock gate = new();
    private bool disposed;

    public CancellationToken Cancelled => cancelling.Token;

    /// <summary>Safe against a generate that ends meanwhile.</summary>
    public void Cancel()
    {
        lock (gate)
        {
            if (!disposed)
                cancelling.Cancel();
        }
    }

    /// <summary>Safe against a generate that ends meanwhile.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ProtocolViolation"/>: more than the window was given.</exception>
    public void Add(int tokens)
    {
        lock (gate)
        {
            if (disposed)
                return;
            try
            {
                credit.Release(Checked(tokens));
            }
            catch (SemaphoreFullException)
            {
                throw OutOfRange(tokens);
            }
        }
    }

    /// <summary>Waits until the client allows one more token frame, or has cancelled: the last frame is always allowed.</summary>
    public async Task SpendAsync() =>
        await credit.WaitAsync(Cancelled).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            cancelling.Dispose();
            credit.Dispose();
        }
    }

    private static int Checked(int tokens) =>
        tokens is >= 1 and <= Limits.CreditTokens ? tokens : throw OutOfRange(tokens);

    private static EngineException OutOfRange(int tokens) =>
        new(
            EngineErrorClass.ProtocolViolation,
            $"Credit of {tokens} tokens is out of the window.",
            tokens,
            Limits.CreditTokens
        );
}
