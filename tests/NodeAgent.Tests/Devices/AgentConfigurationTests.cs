using EgpuFleet.NodeAgent.Hosting;

namespace EgpuFleet.NodeAgent.Tests.Devices;

/// <summary>What the owner may say about devices and engines, and what is not taken.</summary>
public sealed class AgentConfigurationTests
{
    [Fact]
    public void All_devices_are_lent_and_the_processor_is_llama_cpps_unless_said_otherwise()
    {
        var options = Read();
        Assert.Equal("llama.cpp", options.CpuEngine);
        Assert.True(options.Lends("cpu0"));
        Assert.True(options.Lends("egpu0"));
        Assert.EndsWith("/some/data/engines", options.EngineData, StringComparison.Ordinal);
    }

    [Fact]
    public void The_owner_names_devices_and_engine()
    {
        var options = Read("--devices", "cpu0,apple-gpu0", "--cpu-engine", "tinygrad", "--engine-data", "/engines");
        Assert.True(options.Lends("apple-gpu0"));
        Assert.False(options.Lends("egpu0"));
        Assert.Equal(("tinygrad", "/engines"), (options.CpuEngine, options.EngineData));
        Assert.True(Read("--devices", "all").Lends("gpu7"));
    }

    [Theory]
    [InlineData("--cpu-engine", "tensorflow", "llama.cpp, tinygrad")]
    [InlineData("--devices", ",", "cpu0,egpu0")]
    [InlineData("--devices", "cpu0,no such", "cpu0,egpu0")]
    public void What_cannot_be_meant_is_refused_and_says_what_can(string flag, string value, string said) =>
        Assert.Contains(
            said,
            Assert.Throws<AgentStartException>(() => Read(flag, value)).Message,
            StringComparison.Ordinal
        );

    private static AgentOptions Read(params string[] more) =>
        AgentConfiguration.Read(["--data", "/some/data", "--node", "mini", .. more]);
}
