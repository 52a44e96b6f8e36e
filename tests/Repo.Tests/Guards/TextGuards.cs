using EgpuFleet.Repo.Tests.Checks;

namespace EgpuFleet.Repo.Tests.Guards;

/// <summary>Puts what the text rules forbid into sample trees and sees each check turn red.</summary>
public sealed class TextGuards
{
    [Theory]
    [InlineData("// TO" + "DO: later")]
    [InlineData("# FIX" + "ME")]
    [InlineData("-- HA" + "CK around it")]
    [InlineData("throw new NotImple" + "mentedException();")]
    public void Unfinished_work_is_found(string line) =>
        Assert.Equal(2, Assert.Single(UnfinishedWork.Check(SourceTree.Of(("src/A.cs", $"first\n{line}\n")))).Line);

    [Theory]
    [InlineData("mastodons and hackers work here; NotSupportedException too")]
    public void Ordinary_words_are_not_found(string line) =>
        Assert.Empty(UnfinishedWork.Check(SourceTree.Of(("src/A.cs", line))));

    [Theory]
    [InlineData("path = /ho" + "me/me/fleet")]
    [InlineData("path = \"/ro" + "ot/.nuget\"")]
    [InlineData("see /wo" + "rk/main")]
    [InlineData("source: https://api.nu" + "get.org/v3/index.json")]
    [InlineData("\"resolved\": \"https://registry.np" + "mjs.org/x\"")]
    [InlineData("index = https://py" + "pi.org/simple")]
    public void A_machine_or_a_registry_is_found(string line) =>
        Assert.Single(MachineNames.Check(SourceTree.Of(("infra/x.sh", line))));

    [Theory]
    [InlineData("GET /api/v1/ho" + "mework/1, src/wo" + "rk/file, $HOME/fleet, the ro" + "ot/branch")]
    public void Ordinary_paths_are_not_found(string line) =>
        Assert.Empty(MachineNames.Check(SourceTree.Of(("infra/x.sh", line))));

    [Theory]
    [InlineData("[text](docs/missing.md)")]
    [InlineData("![picture](missing.png)")]
    [InlineData("<img src=\"missing.png\" alt=\"\">")]
    [InlineData("[out](../../outside.md)")]
    [InlineData("[heading](docs/a.md#nowhere)")]
    [InlineData("[heading](#nowhere)")]
    public void A_dead_link_is_found(string line) =>
        Assert.Single(DocLinks.Check(SourceTree.Of(("README.md", line), ("docs/a.md", "# A page\n"))));

    [Theory]
    [InlineData("[text](docs/a.md) [folder](docs/) [web](https://example.org/x) [a](docs/a.md#a-page-with-code)")]
    [InlineData("```\n[text](missing.md)\n```")]
    [InlineData("`[text](missing.md)`")]
    public void A_live_link_is_not_found(string text) =>
        Assert.Empty(DocLinks.Check(SourceTree.Of(("README.md", text), ("docs/a.md", "# A page, with `code`\n"))));

    [Fact]
    public void A_package_without_a_reason_is_found()
    {
        const string Text = """
            <Project>
              <!-- Why these packages are here. -->
              <ItemGroup><PackageVersion Include="Explained" Version="1.0.0" /></ItemGroup>
              <ItemGroup><PackageVersion Include="Bare" Version="1.0.0" /></ItemGroup>
            </Project>
            """;
        var finding = Assert.Single(PackageReasons.Check(SourceTree.Of((PackageReasons.File, Text))));
        Assert.Contains("Bare", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(".editorconfig", "[*.cs]\ndotnet_diagnostic.MA0004.severity = none\n")]
    [InlineData(".editorconfig", "# why\ndotnet_diagnostic.A.severity = none\n\ndotnet_diagnostic.B.severity = none\n")]
    [InlineData("src/A/A.csproj", "<Project>\n<NoWarn>CS1591</NoWarn>\n</Project>")]
    [InlineData("Directory.Build.props", "<TreatWarningsAsErrors>false</TreatWarningsAsErrors>")]
    [InlineData("src/A/B.cs", "\n#pragma warning disable CS1591\n")]
    [InlineData("src/A/B.cs", "[SuppressMessage(\"a\", \"b\")]")]
    public void A_silenced_analyzer_without_a_reason_is_found(string path, string text) =>
        Assert.Single(AnalyzerExceptions.Check(SourceTree.Of((path, text))));

    [Theory]
    [InlineData(".editorconfig", "# why\ndotnet_diagnostic.A.severity = none\ndotnet_diagnostic.B.severity = none\n")]
    [InlineData(".editorconfig", "dotnet_diagnostic.A.severity = error\n")]
    [InlineData("src/A/A.csproj", "<!-- why -->\n<NoWarn>CS1591</NoWarn>")]
    [InlineData("src/A/B.cs", "#pragma warning disable CS1591 // why\n")]
    public void A_silenced_analyzer_with_a_reason_is_not_found(string path, string text) =>
        Assert.Empty(AnalyzerExceptions.Check(SourceTree.Of((path, text))));
}
