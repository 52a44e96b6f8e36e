using System.Globalization;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>What a request may say about when its job runs, how long, and how often it is tried.</summary>
internal static class RuleFields
{
    /// <param name="byRef">The job of an earlier line by its name, and the field that names it; null where there are no lines.</param>
    public static JobRules Read(JobRequest job, DateTimeOffset now, Func<string, string, JobId>? byRef)
    {
        return new JobRules(
            DependsOn(job.DependsOn, byRef),
            job.Deadline is null ? null : Deadline(job.Deadline, now),
            job.MaxRunSeconds is null ? null : MaxRunTime(job.MaxRunSeconds.Value),
            job.Retry is null ? RetryPolicy.Default : Retry(job.Retry),
            MaxParallel(job),
            job.Hold ?? false,
            Devices(job)
        );
    }

    public static int Priority(JobRequest job) =>
        job.Priority is < -Limits.PriorityBound or > Limits.PriorityBound
            ? throw GatewayException.Invalid(
                "priority",
                $"must be between -{Limits.PriorityBound} and {Limits.PriorityBound}"
            )
            : job.Priority ?? 0;

    private static JobDependency[] DependsOn(
        IReadOnlyList<DependencyOptions?>? given,
        Func<string, string, JobId>? byRef
    )
    {
        if (given is not { Count: > 0 })
            return [];
        if (given.Count > Limits.DependenciesPerJob)
            throw GatewayException.Invalid("depends_on", $"must have at most {Limits.DependenciesPerJob} entries");
        var dependencies = new JobDependency[given.Count];
        var seen = new HashSet<JobId>();
        for (var i = 0; i < dependencies.Length; i++)
        {
            var field = $"depends_on[{i}]";
            var entry = given[i] ?? throw GatewayException.Invalid(field, "is null");
            dependencies[i] = new JobDependency(Target(entry, field, byRef), Condition(entry.Condition, field));
            if (!seen.Add(dependencies[i].Job))
                throw GatewayException.Invalid(field, "names the same job as an earlier entry");
        }
        return dependencies;
    }

    private static JobId Target(DependencyOptions entry, string field, Func<string, string, JobId>? byRef)
    {
        if (entry.Job is null == entry.Ref is null)
            throw GatewayException.Invalid(field, byRef is null ? "needs job" : "needs either job or ref");
        if (entry.Ref is null)
            return JobId.TryParse(entry.Job, out var id)
                ? id
                : throw GatewayException.Invalid($"{field}.job", "is not the id of a job");
        return byRef is null
            ? throw GatewayException.Invalid($"{field}.ref", $"names a line, which only {Routes.JobsBulk} has")
            : byRef(entry.Ref, $"{field}.ref");
    }

    private static DependencyCondition Condition(string? word, string field) =>
        word switch
        {
            null or "after_ok" => DependencyCondition.AfterOk,
            "after_any" => DependencyCondition.AfterAny,
            _ => throw GatewayException.Invalid($"{field}.condition", "must be after_ok or after_any"),
        };

    private static DateTimeOffset Deadline(string text, DateTimeOffset now)
    {
        string[] formats = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"];
        const DateTimeStyles Styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (
            !DateTimeOffset.TryParseExact(
                WithoutNanoseconds(text),
                formats,
                CultureInfo.InvariantCulture,
                Styles,
                out var deadline
            )
        )
            throw GatewayException.Invalid("deadline", "must be an RFC 3339 time such as 2026-11-23T18:00:00Z");
        return deadline > now
            ? deadline
            : throw GatewayException.Invalid(
                "deadline",
                $"must be in the future; it is {now:yyyy-MM-dd'T'HH:mm:ss'Z'}"
            );
    }

    /// <summary>Some write nine digits of a second; .NET reads seven.</summary>
    private static string WithoutNanoseconds(string text)
    {
        const int Point = 19;
        if (text.Length is <= Point or > 40 || text[Point] != '.')
            return text;
        var end = Point + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
            end++;
        return end - Point - 1 > 7 ? text.Remove(Point + 8, end - Point - 8) : text;
    }

    private static TimeSpan MaxRunTime(double seconds) =>
        seconds > 0 && seconds <= Limits.RunSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw GatewayException.Invalid("max_run_seconds", $"must be above 0 and at most {Limits.RunSeconds}");

    private static RetryPolicy Retry(RetryOptions given)
    {
        if (given.MaxAttempts is < 1 or > Limits.Attempts)
            throw GatewayException.Invalid("retry.max_attempts", $"must be between 1 and {Limits.Attempts}");
        var usual = RetryPolicy.Default;
        var wait = Backoff(given.BackoffSeconds, "retry.backoff_seconds") ?? usual.Backoff;
        var longest = Backoff(given.MaxBackoffSeconds, "retry.max_backoff_seconds");
        if (longest < wait)
            throw GatewayException.Invalid("retry.max_backoff_seconds", "must be at least retry.backoff_seconds");
        return new RetryPolicy(
            given.MaxAttempts ?? usual.MaxAttempts,
            wait,
            longest ?? (wait > usual.MaxBackoff ? wait : usual.MaxBackoff)
        );
    }

    private static TimeSpan? Backoff(double? seconds, string field) =>
        seconds switch
        {
            null => null,
            >= 0 and <= Limits.BackoffSeconds => TimeSpan.FromSeconds(seconds.Value),
            _ => throw GatewayException.Invalid(field, $"must be between 0 and {Limits.BackoffSeconds}"),
        };

    private static DeviceChoice? Devices(JobRequest job)
    {
        if (job.Require is null && job.Prefer is null)
            return null;
        return new DeviceChoice(Class("require", job.Require), Class("prefer", job.Prefer));
    }

    private static DeviceClass? Class(string field, string? word) =>
        word is null ? null : DeviceWords.Find(word) ?? throw GatewayException.Invalid(field, DeviceWords.MustBe);

    private static int? MaxParallel(JobRequest job)
    {
        var (own, arrays) = (job.MaxParallel, job.Array?.MaxParallel);
        if (own is < 1 or > Limits.ItemsPerJob)
            throw GatewayException.Invalid("max_parallel", $"must be between 1 and {Limits.ItemsPerJob}");
        if (arrays is < 1 or > Limits.ItemsPerJob)
            throw GatewayException.Invalid("array.max_parallel", $"must be between 1 and {Limits.ItemsPerJob}");
        if (own is not null && arrays is not null && own != arrays)
            throw GatewayException.Invalid("array.max_parallel", "says otherwise than max_parallel; give one of them");
        return own ?? arrays;
    }
}
