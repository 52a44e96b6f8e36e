using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>Room in a device's memory: models that nobody uses make it for others, and for what is no model.</summary>
internal sealed partial class LoadedModels
{
    private long reservedBytes;

    /// <summary>
    /// Keeps memory of the device free of models until the reservation is disposed; models that nobody uses make room.
    /// </summary>
    /// <exception cref="EngineException">It is more than the device lends, or than models in use leave of it.</exception>
    public async Task<IDisposable> ReserveAsync(long bytes, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                LoadedModel? victim;
                lock (gate)
                {
                    if (UsedBytes + bytes <= memory.Bytes)
                    {
                        reservedBytes += bytes;
                        return new Reservation(this, bytes);
                    }
                    victim = Victim();
                    if (victim is null)
                        throw new EngineException(
                            EngineErrorClass.OutOfMemory,
                            $"It needs {bytes} bytes; {memory.Bytes - UsedBytes} of the {memory.Bytes} that this device lends are free.",
                            bytes,
                            memory.Bytes - UsedBytes
                        );
                    loaded.Remove(victim.Hash);
                }
                await UnloadAsync(victim);
            }
        }
        finally
        {
            turn.Release();
            changes.Raise();
        }
    }

    private async Task MakeRoomAsync(ModelRef model, CachedModel file)
    {
        var memoryBytes = memory.Bytes;
        if (file.MemoryBytes > memoryBytes)
            throw ModelFailures.TooLarge(model, file.MemoryBytes, memoryBytes);
        while (true)
        {
            LoadedModel victim;
            lock (gate)
            {
                var used = reservedBytes + LoadedModel.BytesOf([.. Files, file]);
                if (used <= memoryBytes && loaded.Count < Kernels.Limits.Models)
                    return;
                victim = Victim() ?? throw ModelFailures.NoRoom(model, file.MemoryBytes, memoryBytes - UsedBytes);
                loaded.Remove(victim.Hash);
            }
            await UnloadAsync(victim);
        }
    }

    private IEnumerable<CachedModel> Files => loaded.Values.Select(model => model.File);

    private long UsedBytes => reservedBytes + LoadedModel.BytesOf(Files);

    /// <summary>The one that makes room first; null when all are in use.</summary>
    private LoadedModel? Victim() => loaded.Values.Where(other => other.Uses == 0).MinBy(other => other.LastUsed);

    private async Task UnloadAsync(LoadedModel victim)
    {
        await worker!.Client.UnloadAsync(victim.Hash);
        Release(victim);
        LogUnloaded(victim.Hash);
    }

    private void Unreserve(long bytes)
    {
        lock (gate)
            reservedBytes -= bytes;
        changes.Raise();
    }

    private sealed class Reservation(LoadedModels models, long bytes) : IDisposable
    {
        private long bytes = bytes;

        public void Dispose() => models.Unreserve(Interlocked.Exchange(ref bytes, 0));
    }
}
