using EgpuFleet.Grains.Interfaces.Execution;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>A device's failure as one line and back.</summary>
public sealed class FailureReasonTests
{
    [Theory]
    [InlineData("not_finite", "The loss is no finite number: NaN.")]
    [InlineData("out_of_memory", "")]
    [InlineData("agent_error", "IOException: x: y")]
    public void What_was_said_is_read(string code, string message) =>
        Assert.Equal((code, message), FailureReason.Read(FailureReason.Of(new ShardFailure(code, message, true))));

    [Theory]
    [InlineData("")]
    [InlineData(": nothing before")]
    [InlineData("Cancelled by its owner.")]
    [InlineData("It needed job_1 to succeed: which did not.")]
    public void A_line_of_another_kind_has_no_code(string line) => Assert.Null(FailureReason.Read(line));
}
