using System.Net;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Silo.Gateway;

/// <summary>Finds a registered model by the name in a request.</summary>
public sealed class ModelLookup(Fleet fleet)
{
    private const int NamesInMessage = 10;

    /// <exception cref="GatewayException">No model has that name; the message names those that are there.</exception>
    public async Task<ModelRecord> RequireAsync(string name, HttpStatusCode whenMissing)
    {
        if (ModelNames.IsValid(name) && await fleet.Models.Find(name) is { } model)
            return model;
        var names = (await fleet.Models.List()).Select(known => known.Ref.Name).Take(NamesInMessage).ToArray();
        var message =
            names.Length == 0
                ? "No model is registered yet."
                : $"No model of that name is registered. Registered: {string.Join(", ", names)}.";
        throw new GatewayException(whenMissing, "model_not_found", message)
        {
            Param = "model",
            Errors = new Dictionary<string, string[]>(StringComparer.Ordinal) { ["model"] = [message] },
        };
    }
}
