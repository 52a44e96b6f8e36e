using System.Net;
using System.Text;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Orders for devices that nobody can carry out; EndToEnd.Tests has those that an agent does.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class DeviceOrderTests(RunningSilo silo)
{
    [Theory]
    [InlineData("eject")]
    [InlineData("attach")]
    [InlineData("clear")]
    [InlineData("rehearse")]
    [InlineData("bench")]
    public async Task A_device_that_nobody_knows_is_not_found(string verb)
    {
        using var response = await silo.Http.PostAsync(
            Routes.DeviceVerb("no-such-node/egpu0", verb),
            null,
            TestContext.Current.CancellationToken
        );
        Assert.Equal("not_found", Answers.CodeOf(await response.ProblemAsync(HttpStatusCode.NotFound)));
    }

    [Theory]
    [InlineData("{\"seconds\": 0}", HttpStatusCode.UnprocessableEntity)]
    [InlineData("{\"seconds\": -1e300}", HttpStatusCode.UnprocessableEntity)]
    [InlineData("{\"seconds\": 121}", HttpStatusCode.UnprocessableEntity)]
    [InlineData("{\"seconds\": \"long\"}", HttpStatusCode.BadRequest)]
    [InlineData("null", HttpStatusCode.BadRequest)]
    [InlineData("[", HttpStatusCode.BadRequest)]
    [InlineData("{}", HttpStatusCode.NotFound)]
    public async Task A_rehearsal_is_checked_before_anything_is_killed(string body, HttpStatusCode status)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await silo.Http.PostAsync(
            Routes.DeviceVerb("no-such-node/egpu0", "rehearse"),
            content,
            TestContext.Current.CancellationToken
        );
        await response.ProblemAsync(status);
    }
}
