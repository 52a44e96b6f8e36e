using EgpuFleet.Repo.Tests.Checks;

namespace EgpuFleet.Repo.Tests.Guards;

/// <summary>Breaks each dependency rule in a sample tree and sees the check turn red.</summary>
public sealed class DependenciesGuard
{
    private const string Policy = "src/Grains/Grains.csproj";

    [Theory]
    [InlineData("""<ProjectReference Include="../Kernels/Kernels.csproj" />""", "project Kernels")]
    [InlineData("""<ProjectReference Include="..\Silo\Silo.csproj" />""", "project Silo")]
    [InlineData("""<PackageReference Include="Npgsql" />""", "package Npgsql")]
    [InlineData("""<FrameworkReference Include="Microsoft.AspNetCore.App" />""", "ASP.NET")]
    [InlineData("""<PackageReference Include="Microsoft.Orleans.Server" Version="1.0.0" />""", "version")]
    public void A_forbidden_reference_is_found(string item, string expected)
    {
        var finding = Assert.Single(Check(Policy, $"<Project><ItemGroup>{item}</ItemGroup></Project>"));
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("src/Dashboard/Dashboard.csproj", "../Grains.Interfaces/Grains.Interfaces.csproj")]
    [InlineData("src/Cli/Cli.csproj", "../Silo/Silo.csproj")]
    [InlineData("src/Silo/Silo.csproj", "../Kernels/Kernels.csproj")]
    [InlineData("src/Grains.Interfaces/Grains.Interfaces.csproj", "../Api/Api.csproj")]
    [InlineData("src/NodeAgent/NodeAgent.csproj", "../Grains/Grains.csproj")]
    [InlineData("src/Api/Api.csproj", "../Grains.Interfaces/Grains.Interfaces.csproj")]
    public void A_forbidden_direction_is_found(string project, string reference) =>
        Assert.Single(
            Check(project, $"""<Project><ItemGroup><ProjectReference Include="{reference}" /></ItemGroup></Project>""")
        );

    [Fact]
    public void A_web_project_is_found() => Assert.Single(Check(Policy, """<Project Sdk="Microsoft.NET.Sdk.Web" />"""));

    [Fact]
    public void A_project_without_a_rule_is_found() =>
        Assert.Contains(
            Dependencies.Check(
                SourceTree.Of(("src/New/New.csproj", "<Project />")),
                new Dictionary<string, DependencyRule>()
            ),
            finding => finding.Path == "src/New/New.csproj"
        );

    [Fact]
    public void A_rule_without_a_project_is_found() =>
        Assert.Single(
            Dependencies.Check(SourceTree.Of(), new Dictionary<string, DependencyRule> { [Policy] = new([], []) })
        );

    [Fact]
    public void An_allowed_reference_is_not_found() =>
        Assert.Empty(
            Check(
                Policy,
                """
                <Project Sdk="Microsoft.NET.Sdk"><ItemGroup>
                  <PackageReference Include="Microsoft.Orleans.Server" />
                  <ProjectReference Include="../Grains.Interfaces/Grains.Interfaces.csproj" />
                </ItemGroup></Project>
                """
            )
        );

    private static List<Finding> Check(string path, string text) =>
        [
            .. Dependencies.Check(
                SourceTree.Of((path, text)),
                new Dictionary<string, DependencyRule> { [path] = DependencyRule.All[path] }
            ),
        ];
}
