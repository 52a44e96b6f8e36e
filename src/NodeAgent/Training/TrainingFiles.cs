using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Models;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>Brings files of training data to this machine.</summary>
internal sealed class TrainingFiles(IHttpClientFactory clients, TimeProvider time)
{
    /// <summary>Returns when the file is there and its hash is right; goes on where a lost connection left it.</summary>
    /// <exception cref="Grains.Interfaces.Serving.GenerationException">It cannot be had.</exception>
    public async Task FetchAsync(TrainingFile file, string path, CancellationToken cancellationToken)
    {
        var named = new ModelRef(file.Id, file.Sha256, file.SizeBytes);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var client = clients.CreateClient(GatewayHttp.Downloads);
                var route = $"{InternalRoutes.Files}/{file.Id}/content";
                await new ModelDownload(client, named, path, route).RunAsync(cancellationToken);
                return;
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                if (attempt == Limits.DownloadAttempts)
                    throw ModelFailures.Unreachable(named, e.Message);
            }
            await Task.Delay(Limits.JoinRetryEvery, time, cancellationToken);
        }
    }
}
