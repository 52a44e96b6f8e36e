using EgpuFleet.Silo.Hosting;

namespace EgpuFleet.Silo.Tests.Hosting;

/// <summary>The command line and the configuration files.</summary>
public sealed class SettingsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("egpufleet-settings-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_flag_comes_before_toml_before_json_before_the_default()
    {
        Assert.Equal(SiloSettings.DefaultPort, Load().Port);
        File.WriteAllText(Path.Combine(folder, "appsettings.json"), """{"port":5001,"expect_agents":"a,b"}""");
        Assert.Equal(5001, Load().Port);
        File.WriteAllText(Path.Combine(folder, "fleet.toml"), "# mine\nport = 5002 # here\n");
        Assert.Equal(5002, Load().Port);
        Assert.Equal(5003, Load("--port", "5003").Port);
        Assert.Equal(["a", "b"], Load().ExpectedAgents.Select(node => node.Value));
        Assert.Equal("local-1", Load("--expect-agents", " local-1 ").ExpectedAgents.Single().Value);
    }

    [Theory]
    [InlineData("--port", "0")]
    [InlineData("--port", "65536")]
    [InlineData("--port", "x")]
    [InlineData("--expect-agents", "A_B")]
    public void A_wrong_value_is_a_usage_error(string flag, string value)
    {
        var error = Assert.Throws<StartupException>(() => Load(flag, value));

        Assert.Equal(ExitCodes.Usage, error.ExitCode);
        Assert.Contains(flag, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nope", "1")]
    [InlineData("--data")]
    [InlineData("start")]
    public void A_wrong_option_is_a_usage_error(params string[] args)
    {
        var error = Assert.Throws<StartupException>(() => SiloCommand.Parse(args));

        Assert.Equal(ExitCodes.Usage, error.ExitCode);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("port 5", 1)]
    [InlineData("port = 5\nport = 6", 2)]
    [InlineData("a = [1, 2]", 1)]
    [InlineData("\n\na = \"open", 3)]
    [InlineData("a = \"x\" y", 1)]
    public void A_wrong_line_of_toml_is_named(string text, int line)
    {
        var error = Assert.Throws<FormatException>(() => FleetToml.Parse(text, "fleet.toml"));

        Assert.StartsWith($"fleet.toml, line {line}:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sections_and_texts_of_toml_are_read()
    {
        var values = FleetToml.Parse("[tls]\nfile = \"a # b\" # why\nuse = true\n", "fleet.toml");

        Assert.Equal(("a # b", "true"), (values["tls:file"], values["tls:use"]));
    }

    private SiloSettings Load(params string[] args) =>
        SiloSettings.Load(SiloCommand.Parse(["--data", folder, .. args]));
}
