using System.Runtime.CompilerServices;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>
/// Awaited, it lets everything run that the thread pool has been given before, which <see cref="Task.Yield"/> does not: that
/// goes to the front of its own thread's queue.
/// </summary>
internal readonly struct ThreadPoolTurn : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public ThreadPoolTurn GetAwaiter() => this;

    public void GetResult() { }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static next => next(), continuation, preferLocal: false);
}
