"""Request headers that only a proxy may set: taken off whatever a client sends.

Streamlit and uvicorn believe what stands in some of them, and a login in front of an instance says in others
who somebody is. So nginx overwrites those that it knows better and takes off all the rest.
"""

from __future__ import annotations

# Overwritten, with nginx's own values (nginx's variables).
OWN = {
    "Host": "$http_host",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$visitors_scheme",
    "X-Real-IP": "$remote_addr",
    "X-Unitscope-Forwarded": "$through_a_proxy",
}
# Taken off: where somebody comes from, what they asked for …
PLACES = (
    "Forwarded",
    "Proxy",  # CGI made HTTP_PROXY of it
    "Via",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Forwarded",
    "X-Forwarded-Host",
    "X-Forwarded-Path",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-Uri",
    "X-HTTP-Method-Override",
    "X-Original-Host",
    "X-Original-URI",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Scheme",
    "X-Url-Scheme",
)
# … and who they are: what login proxies are known to say.
PEOPLE = (
    "Auth-User",
    "Remote-Email",
    "Remote-Groups",
    "Remote-Name",
    "Remote-User",
    "Cf-Access-Authenticated-User-Email",
    "Cf-Access-Jwt-Assertion",
    "X-Amzn-Oidc-Accesstoken",
    "X-Amzn-Oidc-Data",
    "X-Amzn-Oidc-Identity",
    "X-Auth-Email",
    "X-Auth-Groups",
    "X-Auth-Request-Access-Token",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Preferred-Username",
    "X-Auth-Request-User",
    "X-Auth-Token",
    "X-Auth-User",
    "X-Auth-Username",
    "X-Authentik-Email",
    "X-Authentik-Groups",
    "X-Authentik-Username",
    "X-Forwarded-Access-Token",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-User",
    "X-Goog-Authenticated-User-Email",
    "X-Goog-Authenticated-User-Id",
    "X-Goog-Iap-Jwt-Assertion",
    "X-Ms-Client-Principal",
    "X-Ms-Client-Principal-Id",
    "X-Ms-Client-Principal-Name",
    "X-Pomerium-Jwt-Assertion",
    "X-Remote-Email",
    "X-Remote-Groups",
    "X-Remote-User",
    "X-Token-User-Email",
    "X-Token-User-Name",
    "X-Unitscope-Proxy",
    "X-Unitscope-Visitor",
    "X-User",
    "X-User-Email",
    "X-Webauth-Email",
    "X-Webauth-Groups",
    "X-Webauth-Name",
    "X-Webauth-User",
)
CLEARED = (*PLACES, *PEOPLE)


def directives(names: tuple[str, ...]) -> str:
    """nginx's lines that set and take off.

    Args:
        names: headers in which a trusted proxy says who somebody is. They pass as they came: nginx would make
            one of two, and the server has to see that there are two.
    """
    told = {name.lower() for name in names}
    cleared = [name for name in CLEARED if name.lower() not in told]
    pairs = {**OWN, **dict.fromkeys(cleared, '""')}
    return "".join(f"proxy_set_header {name} {value};\n" for name, value in pairs.items())


def forgeries(names: tuple[str, ...]) -> str:
    """nginx's map that says whether somebody who is no trusted proxy writes such a header."""
    said = "".join(f"$http_{name.lower().replace('-', '_')}" for name in names)
    return f'map "$from_proxy{said}" $forged {{ default 0; ~^0. 1; }}'
