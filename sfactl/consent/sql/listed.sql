-- One row per address or hash of the table given that is not on the list yet.
select g.kind, g.value, $scope as scope, $reason as reason, cast($now as timestamp) as "at"
from given g
left join suppressions s on s.kind = g.kind and s.value = g.value and s.scope = $scope
where s.value is null
