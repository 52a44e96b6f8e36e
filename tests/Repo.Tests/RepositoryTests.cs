using EgpuFleet.Repo.Tests.Checks;

namespace EgpuFleet.Repo.Tests;

/// <summary>The rules of the house, held against this repository.</summary>
public sealed class RepositoryTests
{
    private static readonly SourceTree Tree = SourceTree.Repository;

    [Fact]
    public void Projects_reference_only_what_the_architecture_allows() =>
        NoFindings(Dependencies.Check(Tree, DependencyRule.All));

    [Fact]
    public void Policy_is_pure() => NoFindings(PolicyPurity.Check(Tree));

    [Fact]
    public void There_is_policy_to_check() =>
        Assert.Contains(Tree.Files.Select(file => file.Path), PolicyFiles.Contains);

    [Fact]
    public void Files_and_methods_are_short() => NoFindings(Lengths.Check(Tree, LengthExceptions.All));

    [Fact]
    public void Every_package_has_a_reason() => NoFindings(PackageReasons.Check(Tree));

    [Fact]
    public void No_unfinished_work_is_left_in_the_tree() => NoFindings(UnfinishedWork.Check(Tree));

    [Fact]
    public void No_machine_and_no_registry_is_named() => NoFindings(MachineNames.Check(Tree));

    [Fact]
    public void Every_link_of_the_documents_leads_somewhere() => NoFindings(DocLinks.Check(Tree));

    [Fact]
    public void Every_silenced_analyzer_has_a_reason() => NoFindings(AnalyzerExceptions.Check(Tree));

    private static void NoFindings(IEnumerable<Finding> findings)
    {
        var list = findings.Select(finding => finding.ToString()).ToList();
        Assert.True(list.Count == 0, string.Join(Environment.NewLine, list));
    }
}
