using EgpuFleet.Repo.Tests.Checks;

namespace EgpuFleet.Repo.Tests.Guards;

/// <summary>Makes a policy impure in every way the rule names and sees the check turn red.</summary>
public sealed class PolicyPurityGuard
{
    private const string Policy = "src/Grains/Scheduling/Policy/Planner.cs";

    [Theory]
    [InlineData("static string Read() => File.ReadAllText(\"x\");")]
    [InlineData("static string Read() => global::System.IO.Path.GetTempPath();")]
    [InlineData("static object Call() => new HttpClient();")]
    [InlineData("static object Call() { HttpClient client = new(); return client; }")]
    [InlineData("static long Clock() => DateTime.UtcNow.Ticks;")]
    [InlineData("static object Clock() => TimeProvider.System;")]
    [InlineData("static long Clock() => System.Diagnostics.Stopwatch.GetTimestamp();")]
    [InlineData("static long Clock() => Environment.TickCount64;")]
    [InlineData("static void Print() => Console.WriteLine();")]
    [InlineData("static Task Wait() => Task.CompletedTask;")]
    [InlineData("static async void Wait() { }")]
    [InlineData("static async System.Threading.Tasks.ValueTask Wait() => await default(ValueTask);")]
    [InlineData("static int Roll() => new Random().Next();")]
    [InlineData("static int Roll() { Random random = new(); return random.Next(); }")]
    [InlineData("static int Roll() => Random.Shared.Next();")]
    [InlineData("static Guid Name() => Guid.NewGuid();")]
    [InlineData("static int counter;")]
    [InlineData("static void Lock() => Interlocked.Increment(ref Unsafe);")]
    public void Impure_code_is_found(string member) =>
        Assert.NotEmpty(Check(Policy, $"static class Planner {{ {member} }}"));

    [Theory]
    [InlineData("using Microsoft.Extensions.Logging;")]
    [InlineData("using Npgsql;")]
    [InlineData("using Disk = System.IO.File;")]
    [InlineData("using static System.Console;")]
    public void An_impure_using_is_found(string directive) =>
        Assert.NotEmpty(Check(Policy, $"{directive} static class Planner {{ }}"));

    [Theory]
    [InlineData("src/Grains/Jobs/JobLifecycle.cs")]
    [InlineData("src/Grains/Fleet/LeaseBook.cs")]
    [InlineData("src/Grains/Scheduling/Policy/Scoring/Score.cs")]
    public void Every_policy_file_is_checked(string path) =>
        Assert.NotEmpty(Check(path, "static class Sample { static Task Wait() => Task.CompletedTask; }"));

    [Fact]
    public void An_alias_in_another_file_hides_nothing() =>
        Assert.NotEmpty(
            PolicyPurity.Check(
                SourceTree.Of(
                    ("src/Grains/Aliases.cs", "global using Disk = System.IO.File;"),
                    (Policy, "static class Planner { static string Read() => Disk.ReadAllText(\"x\"); }")
                )
            )
        );

    [Theory]
    [InlineData("static int Roll(int seed) => new Random(seed).Next();")]
    [InlineData("static DateTimeOffset Later(DateTimeOffset now) => now.AddSeconds(3);")]
    [InlineData("static readonly int[] Weights = [1, 2]; static int Sum() => Weights.Sum();")]
    [InlineData("const int Limit = 3; static double Log(double x) => Math.Log2(Math.Max(1, x)) * Limit;")]
    [InlineData("sealed record Task(int Id); static Task Make() => new(1);")]
    public void Pure_code_is_not_found(string member) =>
        Assert.Empty(Check(Policy, $"static class Planner {{ {member} }}"));

    [Fact]
    public void Code_outside_the_policy_is_free() =>
        Assert.Empty(
            Check(
                "src/Grains/Scheduling/SchedulerLoop.cs",
                "static class Loop { static Task Wait() => Task.CompletedTask; }"
            )
        );

    private static IReadOnlyList<Finding> Check(string path, string text) =>
        PolicyPurity.Check(SourceTree.Of((path, text)));
}
