using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Protocol;

public sealed class WorkerSocketTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_socket_path_that_no_system_holds_is_refused_in_words()
    {
        var path = "/" + new string('x', Limits.SocketPathBytes);
        var exception = Assert.Throws<EngineException>(() => WorkerLaunch.StartInfo("/bin/worker", path, "c"));
        Assert.Equal(EngineErrorClass.InvalidRequest, exception.ErrorClass);
        Assert.Equal(Limits.SocketPathBytes, exception.Limit);
        await Assert.ThrowsAsync<EngineException>(() => WorkerClient.ConnectAsync(path, "c", Token));
    }
}
