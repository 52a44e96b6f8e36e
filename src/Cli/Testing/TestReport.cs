using System.Xml;
using System.Xml.Linq;

namespace EgpuFleet.Cli.Testing;

/// <summary>
/// Reads what a test process left: its xUnit result file (format 2) and its exit status. Whatever is missing or does not
/// fit counts as a failure, so that a process that crashed never looks green.
/// </summary>
internal static class TestReport
{
    /// <param name="xml">Content of the result file; null when the process wrote none.</param>
    /// <param name="exitCode">Its status; null when it was ended because it took too long.</param>
    /// <param name="lastOutput">The end of what it printed.</param>
    public static ProjectOutcome Read(string project, TimeSpan elapsed, string? xml, int? exitCode, string lastOutput)
    {
        var status = exitCode is null ? "was ended because it took too long" : $"ended with status {exitCode}";
        if (xml is null)
            return Broken($"The process {status} and left no results.");
        XDocument document;
        try
        {
            document = XDocument.Parse(xml);
        }
        catch (XmlException e)
        {
            return Broken($"The process {status}; its results cannot be read: {e.Message}");
        }
        var tests = document.Descendants("test").ToList();
        var failures = tests.Where(test => Result(test) == "Fail").Select(Failure).ToList();
        failures.AddRange(document.Descendants("error").Select(error => new NamedTest(project, FailureText(error))));
        if (failures.Count == 0 && exitCode != 0)
            failures.Add(new NamedTest(project, $"No test failed, but the process {status}.\n{lastOutput}"));
        var skips = tests.Where(test => Result(test) == "Skip").Select(Skip).ToList();
        var passed = tests.Count(test => Result(test) == "Pass");
        return new ProjectOutcome(
            project,
            elapsed,
            new TestCounts(passed, failures.Count, skips.Count),
            failures,
            skips
        );

        ProjectOutcome Broken(string message) =>
            new(project, elapsed, new TestCounts(0, 1, 0), [new NamedTest(project, $"{message}\n{lastOutput}")], []);
    }

    private static string? Result(XElement test) => test.Attribute("result")?.Value;

    private static string Name(XElement test) => test.Attribute("name")?.Value ?? "a test without a name";

    private static NamedTest Failure(XElement test) => new(Name(test), FailureText(test));

    private static NamedTest Skip(XElement test) =>
        new(Name(test), test.Element("reason")?.Value.Trim() ?? "no reason");

    private static string FailureText(XElement element)
    {
        var failure = element.Element("failure");
        var message = failure?.Element("message")?.Value.Trim() ?? "no message";
        var stack = failure?.Element("stack-trace")?.Value.TrimEnd();
        return string.IsNullOrEmpty(stack) ? message : $"{message}\n{stack}";
    }
}
