using System.Collections.Concurrent;
using TorchSharp;

namespace EgpuFleet.Kernels.Torch.Worker;

/// <summary>
/// The one thread that computes: how many threads a kernel uses, and with them the order in which it adds, is a setting of the
/// thread that calls it.
/// </summary>
internal sealed class TorchThread : IDisposable
{
    private readonly BlockingCollection<Action> work = [];
    private readonly Thread thread;

    public TorchThread(int threads)
    {
        thread = new Thread(() =>
        {
            torch.set_num_threads(threads);
            foreach (var one in work.GetConsumingEnumerable())
                one();
        })
        {
            IsBackground = true,
            Name = "torch",
        };
        thread.Start();
    }

    /// <summary>Runs after all that was given before.</summary>
    public Task<T> RunAsync<T>(Func<T> compute)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            try
            {
                done.SetResult(compute());
            }
            catch (OperationCanceledException exception)
            {
                done.SetCanceled(exception.CancellationToken);
            }
            // Whatever it is belongs to who asked.
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    /// <summary>Ends the thread once nothing is left to do.</summary>
    public void Dispose()
    {
        work.CompleteAdding();
        thread.Join();
        work.Dispose();
    }
}
