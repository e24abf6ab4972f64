// What is not there for a guest may be there for somebody in the app.
if (/^\/(p\/|@|tags\/)/.test(location.pathname)) document.querySelector('.bar .button').href = '/#' + location.pathname;
