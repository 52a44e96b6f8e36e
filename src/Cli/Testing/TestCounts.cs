namespace EgpuFleet.Cli.Testing;

/// <summary>How many tests ended how.</summary>
internal sealed record TestCounts(int Passed, int Failed, int Skipped)
{
    public static TestCounts operator +(TestCounts a, TestCounts b) =>
        new(a.Passed + b.Passed, a.Failed + b.Failed, a.Skipped + b.Skipped);

    public override string ToString() => $"{Passed} passed, {Failed} failed, {Skipped} skipped";
}

/// <summary>A test that failed or was skipped; the message is its failure or its reason.</summary>
internal sealed record NamedTest(string Name, string Message);

/// <summary>What came of one test project.</summary>
internal sealed record ProjectOutcome(
    string Project,
    TimeSpan Elapsed,
    TestCounts Counts,
    IReadOnlyList<NamedTest> Failures,
    IReadOnlyList<NamedTest> Skips
);

/// <summary>All projects together.</summary>
internal sealed record TestSummary(IReadOnlyList<ProjectOutcome> Projects)
{
    public TestCounts Counts => Projects.Aggregate(new TestCounts(0, 0, 0), (sum, project) => sum + project.Counts);

    public IReadOnlyList<NamedTest> Failures => [.. Projects.SelectMany(project => project.Failures)];

    public IReadOnlyList<NamedTest> Skips => [.. Projects.SelectMany(project => project.Skips)];

    public bool IsGreen => Counts.Failed == 0;
}
