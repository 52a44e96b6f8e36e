using EgpuFleet.Torch.Tests;
using TorchSharp;

[assembly: AssemblyFixture(typeof(OneThread))]

namespace EgpuFleet.Torch.Tests;

/// <summary>Sums come out in one order however many cores there are.</summary>
public sealed class OneThread
{
    public OneThread() => torch.set_num_threads(1);
}
