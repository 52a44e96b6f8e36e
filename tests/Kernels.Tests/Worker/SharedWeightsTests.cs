using EgpuFleet.Kernels.LlamaCpp;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.Tests.Worker;

public sealed class SharedWeightsTests
{
    [Fact]
    public void Weights_are_loaded_once_and_freed_with_their_last_user()
    {
        var shared = new SharedWeights();
        var loads = 0;
        var first = shared.Take("base", Load);
        var second = shared.Take("base", Load);
        Assert.Same(first.Handle, second.Handle);
        Assert.Equal(1, loads);

        first.Dispose();
        first.Dispose();
        Assert.True(shared.Has("base"));
        Assert.False(second.Handle.IsClosed);
        second.Dispose();
        Assert.False(shared.Has("base"));
        Assert.True(second.Handle.IsClosed);

        using var again = shared.Take("base", Load);
        Assert.Equal(2, loads);

        // A handle that holds nothing is freed without a call of the library.
        LlamaModelHandle Load()
        {
            loads++;
            return new LlamaModelHandle(0);
        }
    }

    [Fact]
    public void A_load_that_fails_leaves_nothing_behind()
    {
        var shared = new SharedWeights();
        Assert.Throws<InvalidOperationException>(() =>
            shared.Take("base", () => throw new InvalidOperationException())
        );
        Assert.False(shared.Has("base"));
    }
}
