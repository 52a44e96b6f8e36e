using EgpuFleet.Grains.Interfaces.Tuning;

namespace EgpuFleet.Grains.Ports;

/// <summary>What is known of a class, in short.</summary>
/// <param name="Kernels">Tuned ones.</param>
/// <param name="BestSpeedup">The largest gain of a single kernel.</param>
/// <param name="At">When the last one was found.</param>
public sealed record TunedClass(TuningClass Class, int Kernels, double BestSpeedup, DateTimeOffset At);

/// <summary>
/// Where tuned kernels are kept. Of a kernel the fastest measurement wins, whoever comes first; of a class the ones changed
/// last are kept, of classes the first. Calls throw <see cref="LedgerUnavailableException"/> when the database does not answer.
/// </summary>
public interface ITuningStore
{
    /// <summary>All kernels of a class, at most <see cref="Limits.TunedKernels"/>.</summary>
    Task<TuningTable> LoadAsync(TuningClass of, CancellationToken cancellationToken);

    /// <summary>Keeps what is new or faster.</summary>
    /// <returns>False: there are <see cref="Limits.TuningClasses"/> already, and this one is new.</returns>
    Task<bool> PutAsync(TuningClass of, TuningReport report, CancellationToken cancellationToken);

    /// <summary>All classes, by name.</summary>
    Task<IReadOnlyList<TunedClass>> ListAsync(CancellationToken cancellationToken);
}
