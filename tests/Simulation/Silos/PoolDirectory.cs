using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Silos;

/// <summary>Brings calls for the pool to a silo: mostly to the one that leads, now and then to one that does not, or not any more.</summary>
internal sealed class PoolDirectory(Network network, Dice dice, IReadOnlyList<ControlSilo> silos)
{
    private const double MistakeChance = 0.05;

    public Task<T> CallAsync<T>(Place from, TimeSpan patience, Func<ControlSilo, Task<T>> ask)
    {
        var leading = silos.Where(silo => silo.IsLeading).ToList();
        var silo = leading.Count == 0 || dice.Chance(MistakeChance) ? dice.Pick(silos) : dice.Pick(leading);
        return network.CallAsync(from, silo.Host, () => silo.Place, patience, () => ask(silo));
    }
}
