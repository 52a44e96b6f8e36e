using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Cli.Jobs;

namespace EgpuFleet.Cli.FineTuning;

/// <summary>Uploads what is to be learnt and makes a job of it, once; files of which no job was made are taken back.</summary>
internal sealed class FineTuningSubmission(FleetClient client)
{
    /// <param name="training">A path, or the id of a file; so is <paramref name="validation"/>.</param>
    /// <param name="request">Makes the request of the ids of both.</param>
    /// <param name="goesOn">Shown an estimate before anything is made; says whether a job is to be made. Null: without one.</param>
    /// <returns>Null where no job was to be made.</returns>
    public async Task<FineTuningJobInfo?> SendAsync(
        string training,
        string? validation,
        Func<string, string?, FineTuningRequest> request,
        Func<FineTuningEstimateInfo, bool>? goesOn,
        CancellationToken cancellationToken
    )
    {
        var files = new TrainingFileUpload(client);
        try
        {
            var first = await files.ProvideAsync(training, cancellationToken);
            var second = validation is null ? null : await files.ProvideAsync(validation, cancellationToken);
            var body = request(first, second);
            if (goesOn?.Invoke(await client.EstimateFineTuningAsync(body, cancellationToken)) == false)
            {
                await files.TakeBackAsync(cancellationToken);
                return null;
            }
            return await JobSubmission.OnceAsync(
                (key, token) => client.CreateFineTuningAsync(body, key, token),
                cancellationToken
            );
        }
        catch (FleetApiException e)
            when (e.Status is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError)
        {
            await files.TakeBackAsync(cancellationToken);
            throw;
        }
    }
}
