using EgpuFleet.Cli.Testing;

namespace EgpuFleet.Cli.Tests;

public sealed class TestReportTests
{
    private const string OfEach = """
        <assemblies><assembly total="3" passed="1" failed="1" skipped="1"><errors /><collection>
          <test name="A.Passes" result="Pass" />
          <test name="A.Fails" result="Fail"><failure><message>Expected 1</message><stack-trace>at A</stack-trace></failure></test>
          <test name="A.Waits" result="Skip"><reason>No cable</reason></test>
          <test name="A.NotRun" result="NotRun" />
        </collection></assembly></assemblies>
        """;

    private const string AllPass =
        """<assemblies><assembly><collection><test name="A.B" result="Pass" /></collection></assembly></assemblies>""";

    [Fact]
    public void Results_are_counted_with_messages_and_reasons()
    {
        var outcome = Read(OfEach, 1);

        Assert.Equal(new TestCounts(1, 1, 1), outcome.Counts);
        Assert.Equal(new NamedTest("A.Fails", "Expected 1\nat A"), Assert.Single(outcome.Failures));
        Assert.Equal(new NamedTest("A.Waits", "No cable"), Assert.Single(outcome.Skips));
    }

    [Fact]
    public void A_process_that_left_no_results_failed()
    {
        var outcome = Read(null, 139);

        Assert.Equal(new TestCounts(0, 1, 0), outcome.Counts);
        Assert.Contains("status 139", outcome.Failures[0].Message, StringComparison.Ordinal);
        Assert.Contains("last words", outcome.Failures[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<assemblies><assembly>")]
    [InlineData("")]
    public void Results_cut_off_in_the_middle_failed(string xml) =>
        Assert.Equal(new TestCounts(0, 1, 0), Read(xml, 0).Counts);

    [Theory]
    [InlineData(134)]
    [InlineData(null)]
    public void Green_results_of_a_process_that_ended_badly_are_not_green(int? exitCode)
    {
        var outcome = Read(AllPass, exitCode);

        Assert.Equal(new TestCounts(1, 1, 0), outcome.Counts);
        Assert.False(new TestSummary([outcome]).IsGreen);
    }

    [Fact]
    public void An_error_outside_of_any_test_is_a_failure()
    {
        const string xml = """
            <assemblies><assembly><errors>
              <error type="assembly-cleanup"><failure><message>fixture broke</message></failure></error>
            </errors><collection><test name="A.B" result="Pass" /></collection></assembly></assemblies>
            """;

        Assert.Equal(new TestCounts(1, 1, 0), Read(xml, 1).Counts);
    }

    [Fact]
    public void The_summary_ends_with_the_sum_of_all_projects()
    {
        var summary = new TestSummary([Read(OfEach, 1), Read(AllPass, 0), Read(null, 1)]);

        Assert.Equal("2 passed, 2 failed, 1 skipped", summary.Counts.ToString());
        Assert.False(summary.IsGreen);
    }

    private static ProjectOutcome Read(string? xml, int? exitCode) =>
        TestReport.Read("A.Tests", TimeSpan.FromSeconds(1), xml, exitCode, "last words");
}
